import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/strategies/:id(\\d+)" };
