// @block65/webcrypto-web-push: it makes a request, and fetch sends it, as its README has it. fetch
// throws for no status, so `ok` is that of the response. Of payloads it takes texts; null is JSON
// to it, so there is no push without payload.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { buildPushPayload } from "@block65/webcrypto-web-push";

const name = "@block65/webcrypto-web-push";
const { version } = createRequire(import.meta.url)(`./node_modules/${name}/package.json`);

const operations = {
  hello: () => ({ name, version, ops: ["send"], language: "JavaScript" }),
  send,
};

async function send({ subscription, payload, ttl, urgency, topic, vapid }) {
  if (payload === null) return { unsupported: "a push without payload" };
  const data = text(payload);
  if (data === null) return { unsupported: "payloads that are no text" };
  const options = {
    ttl,
    ...(urgency !== null && { urgency }),
    ...(topic !== null && { topic }),
  };
  const { subject, public_key: publicKey, private_key: privateKey } = vapid;
  try {
    const keys = { subject, publicKey, privateKey };
    const request = await buildPushPayload({ data, options }, subscription, keys);
    return await result(await fetch(subscription.endpoint, request));
  } catch (error) {
    return { ok: false, error: [error.message, error.cause?.message].filter(Boolean).join(": ") };
  }
}

function text(payload) {
  const octets = Buffer.from(payload, "base64");
  const decoded = octets.toString();
  return Buffer.from(decoded).equals(octets) ? decoded : null;
}

async function result(response) {
  const retryAfter = response.headers.get("retry-after");
  return {
    ok: response.ok,
    status: response.status,
    gone: response.status === 404 || response.status === 410,
    retry_after: /^\d+$/.test(retryAfter) ? Number(retryAfter) : retryAfter,
    error: response.ok ? null : await response.text(),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  console.log(JSON.stringify(await operations[job.op](job)));
}
