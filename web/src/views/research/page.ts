import { TrendCharts } from "@element-plus/icons-vue";
import type { PageInfo } from "@/router";

export const page: PageInfo = { path: "/research", order: 1.7, icon: TrendCharts };
