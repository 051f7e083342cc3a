import { CopyDocument } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/copying", order: 1.5, icon: CopyDocument };
