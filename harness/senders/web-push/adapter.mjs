// web-push: sendNotification() resolves for any 2xx, and rejects with what the push service said.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import webPush from "web-push";

const { version } = createRequire(import.meta.url)("./node_modules/web-push/package.json");

const operations = {
  hello: () => ({ name: "web-push", version, ops: ["send"], language: "JavaScript" }),
  send,
};

async function send({ subscription, payload, ttl, urgency, topic, vapid }) {
  const data = payload === null ? null : Buffer.from(payload, "base64");
  const options = {
    vapidDetails: {
      subject: vapid.subject,
      publicKey: vapid.public_key,
      privateKey: vapid.private_key,
    },
    TTL: ttl,
    ...(urgency !== null && { urgency }),
    ...(topic !== null && { topic }),
  };
  try {
    const { statusCode } = await webPush.sendNotification(subscription, data, options);
    return { ok: true, status: statusCode };
  } catch (error) {
    return failure(error);
  }
}

// Errors that are not the push service's have neither statusCode nor headers nor body.
function failure({ message, statusCode, headers, body }) {
  const retryAfter = headers?.["retry-after"];
  return {
    ok: false,
    status: statusCode,
    gone: statusCode === 404 || statusCode === 410,
    retry_after: /^\d+$/.test(retryAfter) ? Number(retryAfter) : retryAfter,
    error: body ? `${message}: ${body}` : message,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  console.log(JSON.stringify(await operations[job.op](job)));
}
