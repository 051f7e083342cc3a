import { Cpu } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/nodes", order: 3, icon: Cpu };
