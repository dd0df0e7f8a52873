import path from "node:path";
import vue from "@vitejs/plugin-vue";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;

/** Dashboard 2 loads a widget's script and nothing else: the style sheet travels inside it. */
function styleInScript(): Plugin {
  return {
    name: "style-in-script",
    enforce: "post",
    generateBundle(_options, bundle) {
      let css = "";
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== "asset" || !name.endsWith(".css")) continue;
        css += String(file.source);
        delete bundle[name];
      }
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk" || !file.isEntry) continue;
        const text = JSON.stringify(css);
        file.code = `(()=>{const s=document.createElement("style");s.id="foieflow-style";s.textContent=${text};document.head.append(s)})();\n${file.code}`;
      }
    },
  };
}

/** One script with all widgets; Vue is the dashboard's own (`window.Vue`). */
export default defineConfig({
  root: here,
  plugins: [vue(), styleInScript()],
  resolve: {
    // The vocabulary's sources, so that the widgets build without the nodes' build.
    alias: [
      { find: /^@foieflow\/node-red-foieflow\/(.*)\.js$/, replacement: `${path.resolve(here, "../nodes")}/$1.ts` },
    ],
  },
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: "resources",
    emptyOutDir: true,
    target: "es2020",
    reportCompressedSize: false,
    lib: { entry: "src/index.ts", name: "FoieFlowWidgets", formats: ["iife"], fileName: () => "foieflow-widgets.js" },
    rollupOptions: { external: ["vue"], output: { globals: { vue: "Vue" } } },
  },
});
