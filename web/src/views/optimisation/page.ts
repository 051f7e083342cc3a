import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/research/optimisations/:id(\\d+)" };
