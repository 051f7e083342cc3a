import "element-plus/theme-chalk/dark/css-vars.css";
import "element-plus/es/components/message/style/css";
import "element-plus/es/components/message-box/style/css";
import "element-plus/es/components/notification/style/css";
import "./style/base.css";
import { PiniaColada } from "@pinia/colada";
import { createPinia } from "pinia";
import { createApp } from "vue";
import { i18n } from "./i18n";
import { router } from "./router";
import App from "./shell/App.vue";

createApp(App).use(createPinia()).use(PiniaColada, {}).use(i18n).use(router).mount("#app");
