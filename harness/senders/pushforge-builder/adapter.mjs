// @pushforge/builder: it makes a request, and fetch sends it, as its README has it. fetch throws for
// no status, so `ok` is that of the response. A payload is a value that it writes as JSON: one that
// is JSON already is given as the value that it stands for, any other text as a text, which arrives
// in quotes. null is a value, too, so there is no push without payload.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { buildPushHTTPRequest } from "@pushforge/builder";

const name = "@pushforge/builder";
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
  try {
    const { endpoint, headers, body } = await buildPushHTTPRequest({
      privateJWK: jwk(vapid),
      subscription,
      message: { payload: value(data), adminContact: vapid.subject, options },
    });
    return await result(await fetch(endpoint, { method: "POST", headers, body }));
  } catch (error) {
    return { ok: false, error: [error.message, error.cause?.message].filter(Boolean).join(": ") };
  }
}

function jwk({ public_key: publicKey, private_key: d }) {
  const point = Buffer.from(publicKey, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)];
  return { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url"), d };
}

function value(data) {
  try {
    return JSON.parse(data);
  } catch {
    return data;
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
