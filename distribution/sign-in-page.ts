import { createHash } from "node:crypto";
import type { Response } from "express";

const LANGUAGES = ["fr", "en"] as const;
type Language = (typeof LANGUAGES)[number];
export type SignInProblem = "wrong" | "wait" | "busy" | "foreign-page";

interface Page {
  language: Language;
  /** Where to go afterwards. */
  next: string;
  name?: string;
  problem?: SignInProblem;
  waitS?: number;
}

const WORDS = {
  fr: {
    title: "Connexion",
    name: "Nom",
    password: "Mot de passe",
    show: "Afficher",
    hide: "Masquer",
    enter: "Se connecter",
    language: "Langue",
    help: "Mot de passe oublié ? L'administrateur de la ligne peut en donner un nouveau.",
    problems: {
      wrong: "Nom ou mot de passe incorrect.",
      wait: "Trop d'essais manqués. Patientez {s} s avant de réessayer.",
      busy: "Trop de connexions à la fois. Réessayez dans quelques secondes.",
      "foreign-page": "Cette demande vient d'un autre site : elle est refusée.",
    },
  },
  en: {
    title: "Sign in",
    name: "Name",
    password: "Password",
    show: "Show",
    hide: "Hide",
    enter: "Sign in",
    language: "Language",
    help: "Forgotten your password? The line's administrator can give you a new one.",
    problems: {
      wrong: "Wrong name or password.",
      wait: "Too many failed attempts. Wait {s} s before you try again.",
      busy: "Too many sign-ins at once. Try again in a few seconds.",
      "foreign-page": "This request comes from another site: it is refused.",
    },
  },
} as const;

/** The dashboard's look (`dashboards/src/style.css`): concrete, steel and straw. */
const STYLE = `
:root{color-scheme:light;--page:#e4e2dc;--card:#fbfaf7;--sunk:#efede7;--line:#8d887c;--ink:#1a1e23;--muted:#565d66;--accent:#8a6a12}
:root[data-theme="dark"]{color-scheme:dark;--page:#101316;--card:#1b2025;--sunk:#262c32;--line:#6d7680;--ink:#f3f1ea;--muted:#a8b0b9;--accent:#e8c872}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;min-height:100dvh;display:grid;grid-template-columns:minmax(0,1fr);place-items:center;padding:14px;background:var(--page);color:var(--ink);
font:400 18px/1.35 "Segoe UI Variable Text","Segoe UI",Roboto,"Noto Sans","Helvetica Neue","DejaVu Sans Condensed",system-ui,sans-serif}
main{width:100%;max-width:520px;padding:24px;background:var(--card);border:1px solid var(--line);border-radius:14px}
header{display:flex;align-items:center;gap:14px;margin-bottom:22px}
header svg{flex:none;width:56px}
h1{margin:0;font-size:28px;font-weight:800;line-height:1.15}
header span{display:block;font-size:16px;font-weight:400;color:var(--muted)}
nav{display:flex;margin-left:auto}
nav a{display:grid;place-items:center;min-width:56px;min-height:56px;color:var(--ink);font-weight:700;text-decoration:none;border:1px solid var(--line)}
nav a:first-child{border-radius:10px 0 0 10px;border-right:0}
nav a:last-child{border-radius:0 10px 10px 0}
nav a[aria-current]{background:var(--ink);color:var(--card)}
form{display:grid;gap:18px}
label,.field{display:grid;gap:6px;font-weight:700}
input{width:100%;min-height:64px;padding:0 16px;font:inherit;font-weight:400;font-size:22px;color:var(--ink);background:var(--sunk);border:2px solid var(--line);border-radius:10px}
.password{display:flex}
.password input{border-radius:10px 0 0 10px;border-right:0;min-width:0}
button{min-height:64px;padding:0 18px;font:inherit;font-weight:700;color:var(--ink);background:var(--card);border:2px solid var(--line);border-radius:10px;cursor:pointer}
.password{border-radius:10px}
.password:focus-within{outline:4px solid var(--accent);outline-offset:2px}
.password :focus-visible{outline:0}
.password button:focus-visible{text-decoration:underline}
.password button{flex:none;min-width:104px;border-radius:0 10px 10px 0}
button.go{min-height:72px;font-size:22px;color:var(--card);background:var(--ink);border-color:var(--ink)}
button:disabled{opacity:.55;cursor:default}
:focus-visible{outline:4px solid var(--accent);outline-offset:2px}
.problem{margin:0;padding:14px 16px;border-radius:10px;font-weight:700;color:#fff;background:#b5121b}
@media(max-width:460px){main{padding:18px}header{gap:10px}header svg{width:44px}h1{font-size:24px}nav a{min-width:52px}}
.help{margin:20px 0 0;font-size:16px;color:var(--muted)}
`;

/** What the page does for comfort; it works without. The choice of language and theme is the dashboard's. */
const SCRIPT = `
(()=>{
const q=new URLSearchParams(location.search),root=document.documentElement;
let stored=null;try{stored={lang:localStorage.getItem("foieflow.language"),theme:localStorage.getItem("foieflow.theme")}}catch{}
const theme=stored&&stored.theme||(matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light");
root.dataset.theme=theme==="dark"?"dark":"light";
if(!q.has("lang")&&root.dataset.chosen!=="1"&&stored&&(stored.lang==="fr"||stored.lang==="en")&&stored.lang!==root.lang){q.set("lang",stored.lang);location.replace(location.pathname+"?"+q)}
document.addEventListener("DOMContentLoaded",()=>{
for(const a of document.querySelectorAll("nav a"))a.addEventListener("click",()=>{try{localStorage.setItem("foieflow.language",a.dataset.language)}catch{}});
const p=document.getElementById("password"),b=document.getElementById("show");b.hidden=false;
b.addEventListener("click",()=>{const on=p.type==="password";p.type=on?"text":"password";b.textContent=on?b.dataset.hide:b.dataset.show;b.setAttribute("aria-pressed",String(on));p.focus()});
const w=document.getElementById("wait"),go=document.getElementById("go");
if(w){let s=Number(w.textContent);go.disabled=true;const t=setInterval(()=>{s-=1;w.textContent=String(Math.max(0,s));if(s<=0){clearInterval(t);go.disabled=false;document.getElementById("problem").hidden=true}},1000)}
});})();
`;

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page's language: the one asked for, else that of the page to go to, else French. */
export function languageOf(asked: unknown, next: string): Language {
  const known = (text: unknown) => LANGUAGES.find((language) => language === text);
  return known(asked) ?? known(new URL(next, "http://line.invalid").searchParams.get("lang")) ?? "fr";
}

/** Sends the sign-in page: one document that fetches nothing. */
export function sendSignInPage(response: Response, page: Page): void {
  response.setHeader("Content-Security-Policy", POLICY);
  response.setHeader("Cache-Control", "no-store");
  response.type("html").send(render(page));
}

function render({ language, next, name = "", problem, waitS = 0 }: Page): string {
  const words = WORDS[language];
  const link = (to: Language) =>
    `<a href="/auth/sign-in?lang=${to}&amp;next=${encodeURIComponent(next)}" data-language="${to}"${to === language ? ' aria-current="true"' : ""}>${to.toUpperCase()}</a>`;
  const [before = "", after = ""] = problem ? words.problems[problem].split("{s}") : [];
  const trouble = problem
    ? `<p class="problem" id="problem" role="alert" data-problem="${problem}">${asHtml(before)}${problem === "wait" ? `<span id="wait">${Math.ceil(waitS)}</span>` : ""}${asHtml(after)}</p>`
    : "";
  return `<!doctype html>
<html lang="${language}" data-chosen="${problem ? 1 : 0}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${words.title} · FoieFlow</title>
<style>${STYLE}</style>
<script>${SCRIPT}</script>
</head>
<body>
<main>
<header>
<svg viewBox="0 0 40 40" aria-hidden="true"><rect width="40" height="40" rx="9" fill="#23282e"/><path d="M7 25c0-9 6-14 13-14 8 0 13 5 13 10 0 6-5 9-10 9H13c-4 0-6-2-6-5z" fill="#e8c872"/><path d="M14 24c1-5 4-8 9-8" fill="none" stroke="#fff6d9" stroke-width="2.6" stroke-linecap="round"/></svg>
<h1>${words.title}<span>FoieFlow</span></h1>
<nav aria-label="${words.language}">${LANGUAGES.map(link).join("")}</nav>
</header>
<form method="post" action="/auth/sign-in">
${trouble}
<input type="hidden" name="next" value="${asHtml(next)}">
<input type="hidden" name="lang" value="${language}">
<label>${words.name}<input name="name" value="${asHtml(name)}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required${name ? "" : " autofocus"}></label>
<div class="field"><label for="password">${words.password}</label><span class="password"><input id="password" type="password" name="password" autocomplete="current-password" maxlength="200" required${name ? " autofocus" : ""}><button type="button" id="show" hidden aria-pressed="false" data-show="${words.show}" data-hide="${words.hide}">${words.show}</button></span></div>
<button class="go" id="go" type="submit">${words.enter}</button>
</form>
<p class="help">${words.help}</p>
</main>
</body>
</html>
`;
}

function asHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
