import { DataLine } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/strategies", order: 1, icon: DataLine };
