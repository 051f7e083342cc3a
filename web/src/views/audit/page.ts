import { Tickets } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/audit", order: 4, icon: Tickets };
