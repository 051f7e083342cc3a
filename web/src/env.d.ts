// Stylesheets that libraries ship beside their code.
declare module "element-plus/es/components/*";
declare module "element-plus/theme-chalk/*";
