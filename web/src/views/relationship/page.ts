import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/copying/:id(\\d+)" };
