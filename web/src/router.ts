/** A page is a folder of `views`; it is found by being there. What it says of itself is in its `page.ts`. */
import type { Component } from "vue";
import { createRouter, createWebHistory } from "vue-router";

export interface PageInfo {
  path: string;
  /** Place in the navigation; a page without one is reached from others. */
  order?: number;
  icon?: Component;
  /** Who alone finds it in the navigation. The node refuses the others by itself. */
  role?: "admin";
}

const infos = import.meta.glob<PageInfo>("./views/*/page.ts", { eager: true, import: "page" });
const views = import.meta.glob<Component>("./views/*/index.vue", { import: "default" });

const all = Object.entries(infos).map(([file, info]) => ({ ...info, name: file.split("/")[2]! }));

export const pages = all.filter((page) => page.order !== undefined).sort((one, other) => one.order! - other.order!);

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...all.map(({ path, name }) => ({ path, name, component: views[`./views/${name}/index.vue`]!, props: true })),
    { path: "/:rest(.*)*", redirect: "/strategies" },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});
