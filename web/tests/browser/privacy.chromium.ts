/** Nothing leaves the computer: the page tries no connection, and could make none. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { BUILT, OpenPage } from "./chromium";

const images = join(inject("samples"), "all", "images");
const LOCAL = /^(file|blob|data):/;

test("from the first image to the saved table no connection is tried", async () => {
  const opened = await OpenPage.open();
  await opened.measure(["phantom_0.png", "photo.jpg", "scan.dcm", "damaged.png"].map((name) => join(images, name)));
  await opened.page.click("#copy");
  await opened.savedCsv();
  const { complaints, requests } = opened;
  const log = await opened.close();
  expect(requests.length).toBeGreaterThan(1); // the page itself and its worker
  expect(requests.filter((address) => !LOCAL.test(address))).toEqual([]);
  expect(complaints).toEqual([]); // the policy was never needed
  // Chromium calls its maker by itself; such requests have no page as their initiator
  const started = log.filter(({ type, params }) => type === "URL_REQUEST_START_JOB" && params["initiator"]);
  expect(started.filter(({ params }) => params["initiator"] !== "not an origin")).toEqual([]);
  expect(log.filter(({ params }) => params["is_preconnect"] === true)).toEqual([]);
  expect(log.length).toBeGreaterThan(0);
});

test("whatever tries to connect is blocked by the policy, in the worker too", async () => {
  let visits = 0;
  const server = createServer((_, response) => {
    visits += 1;
    response.end("here");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const opened = await OpenPage.open();
  const tried = await opened.page.evaluate(async (address) => {
    const violations: string[] = [];
    document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
    const outcome = (promise: Promise<unknown>) => promise.then(() => "open", () => "blocked");
    const loaded = (element: HTMLElement, name: "src" | "href") =>
      new Promise<void>((resolve, reject) => {
        element.addEventListener("load", () => resolve());
        element.addEventListener("error", reject);
        element.setAttribute(name, address);
        document.head.append(element);
      });
    const inserted = async (code: string) => {
      document.head.append(Object.assign(document.createElement("script"), { textContent: code }));
      if (!("ran" in window)) throw new Error("it was not run");
    };
    const socket = new WebSocket(address.replace("http", "ws"));
    const code = `fetch("${address}").then(() => postMessage("open"), () => postMessage("blocked"))`;
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
    const tries = {
      fetch: outcome(fetch(address)),
      image: outcome(loaded(new Image(), "src")),
      script: outcome(loaded(document.createElement("script"), "src")),
      style: outcome(loaded(style, "href")),
      socket: outcome(new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }))),
      worker: new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data))),
      inline: outcome(inserted("window.ran = 1")),
    };
    const outcomes = await Promise.all(Object.entries(tries).map(async ([way, end]) => [way, await end] as const));
    return { outcomes, violations };
  }, address);
  await opened.close();
  server.close();
  expect(tried.outcomes.filter(([, outcome]) => outcome !== "blocked")).toEqual([]);
  expect(tried.violations).toEqual(expect.arrayContaining(["connect-src", "img-src", "script-src-elem", "style-src-elem"]));
  expect(visits).toBe(0);
});

test("the policy forbids all that the page does not need, and no code is there for what no policy covers", () => {
  const html = readFileSync(BUILT, "utf8");
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/.exec(html)![1]!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("connect-src 'none'");
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
  expect(html.indexOf("Content-Security-Policy")).toBeLessThan(html.indexOf("<style"));
  expect(html).not.toMatch(/RTCPeerConnection|WebTransport|window\.open|location\s*=|location\.(href|assign|replace)\s*[=(]/);
  expect(html.replaceAll(/<script type="text\/plain"[\s\S]*?<\/script>/g, "")).not.toMatch(/fetch\(|XMLHttpRequest|sendBeacon|<a [^>]*href/);
});
