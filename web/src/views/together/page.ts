import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/research/account-backtests/:id(\\d+)" };
