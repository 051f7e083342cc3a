import { User } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/people", order: 5, icon: User, role: "admin" };
