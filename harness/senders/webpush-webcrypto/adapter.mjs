// webpush-webcrypto: it makes a request, and fetch sends it, as its README has it. fetch throws for
// no status, so `ok` is that of the response. It wants a payload.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { ApplicationServerKeys, generatePushHTTPRequest, setWebCrypto } from "webpush-webcrypto";

const name = "webpush-webcrypto";
const { version } = createRequire(import.meta.url)(`./node_modules/${name}/package.json`);

setWebCrypto(globalThis.crypto);

const operations = {
  hello: () => ({ name, version, ops: ["send"], language: "JavaScript" }),
  send,
};

async function send({ subscription, payload, ttl, urgency, topic, vapid }) {
  if (payload === null) return { unsupported: "a push without payload" };
  try {
    const { headers, body, endpoint } = await generatePushHTTPRequest({
      applicationServerKeys: await ApplicationServerKeys.fromJSON(keys(vapid)),
      payload: Buffer.from(payload, "base64"),
      target: subscription,
      adminContact: vapid.subject,
      ttl,
      ...(urgency !== null && { urgency }),
      ...(topic !== null && { topic }),
    });
    return await result(await fetch(endpoint, { method: "POST", headers, body }));
  } catch (error) {
    return { ok: false, error: [error.message, error.cause?.message].filter(Boolean).join(": ") };
  }
}

// The private key is PKCS #8, which is what PEM has in base64.
function keys({ public_key: publicKey, private_key_pem: pem }) {
  const octets = Buffer.from(pem.replace(/-----.+-----/g, ""), "base64");
  return { publicKey, privateKey: octets.toString("base64url") };
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
