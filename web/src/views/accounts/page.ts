import { Key } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/accounts", order: 2, icon: Key };
