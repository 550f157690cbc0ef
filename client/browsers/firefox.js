// Runs with Firefox's own rights, in a sandbox that lives as long as the browser. It notes what the
// push service dispatches, and is the desktop on which notifications are shown: the service is told
// of them, and they can be clicked as a user does. `settings` is there: {control, userAgent}.
"use strict";

const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const RESULT = 'globalThis[Symbol.for("mockpush")]';
const SLICE = 5000; // longer texts come from the worker's console in pieces
const PATIENCE = 50000; // milliseconds; the driver waits somewhat longer for an answer
const STATES = { granted: "ALLOW_ACTION", denied: "DENY_ACTION", prompt: "PROMPT_ACTION" };

const pushes = [];
let changes = 0;
let changed = Promise.withResolvers(); // resolved with the next change
const failures = [];
const shown = new Map(); // by the alert's name: {alert, listener, id}, `id` a promise of the service's

// Messages and changes

function observe(topic, note) {
  Services.obs.addObserver({ observe: note }, topic);
}

observe("push-message", subject => {
  const { data } = subject.QueryInterface(Ci.nsIPushMessage);
  pushes.push(data ? btoa(String.fromCharCode(...data.binary())) : null);
});
observe("push-subscription-change", () => {
  changes++;
  changed.resolve();
  changed = Promise.withResolvers();
});

// Notifications

async function tell(path, body) {
  const response = await fetch(settings.control + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.status === 404) return {}; // forgotten meanwhile
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function report(entry, event, action) {
  await tell(`/notifications/${await entry.id}/events`, { event, ...(action && { action }) });
}

function noting(promise) {
  promise.catch(error => failures.push(String(error)));
  return promise;
}

function gone(name, event) {
  const entry = shown.get(name);
  shown.delete(name);
  entry.listener?.observe(null, "alertfinished", entry.alert.cookie);
  return noting(report(entry, event));
}

async function find(id) {
  for (const entry of shown.values()) {
    if ((await entry.id) === id) return entry;
  }
  throw new Error(`the notification ${id} is not shown any more`);
}

const alerts = {
  QueryInterface: ChromeUtils.generateQI([
    "nsIAlertsService", "nsIAlertsDoNotDisturb", "nsIFactory",
  ]),
  createInstance(iid) {
    return this.QueryInterface(iid);
  },
  manualDoNotDisturb: false,
  suppressForScreenSharing: false,

  showAlert(alert, listener) {
    const before = shown.get(alert.name);
    if (before) noting(report(before, "replaced"));
    const id = tell("/notifications", {
      user_agent: settings.userAgent,
      title: alert.title,
      body: alert.text,
      ...(alert.principal?.isContentPrincipal && { origin: alert.principal.origin }),
      actions: (alert.actions ?? []).map(({ action, title }) => ({ action, title })),
    }).then(told => told.id);
    shown.set(alert.name, { alert, listener, id: noting(id) });
    listener?.observe(null, "alertshow", alert.cookie);
  },
  closeAlert(name) {
    if (shown.has(name)) gone(name, "closed");
  },
  async getHistory() {
    return [...shown.keys()];
  },
  teardown() {},
  pbmTeardown() {},
};

// Nobody is there to answer a question: as who closes it without an answer.
const prompt = {
  QueryInterface: ChromeUtils.generateQI(["nsIContentPermissionPrompt", "nsIFactory"]),
  createInstance(iid) {
    return this.QueryInterface(iid);
  },
  prompt(request) {
    request.cancel();
  },
};

// Workers

let developer = null;

async function developerTools() {
  const { require } = ChromeUtils.importESModule("resource://devtools/shared/loader/Loader.sys.mjs");
  const { DevToolsServer } = require("devtools/server/devtools-server");
  const { DevToolsClient } = require("devtools/client/devtools-client");
  DevToolsServer.init();
  DevToolsServer.registerAllActors();
  DevToolsServer.allowChromeProcess = true; // it has the list of all workers
  const client = new DevToolsClient(DevToolsServer.connectPipe());
  await client.connect();
  return client;
}

async function until(attempt, otherwise) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await attempt();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${otherwise} within ${PATIENCE / 1000} s`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

async function consoleOf(id) {
  developer ??= await developerTools();
  const target = await until(
    async () => (await developer.mainRoot.listAllWorkerTargets()).find(each => each.id === id),
    "the service worker does not start"
  );
  await target.getTarget();
  return target.getFront("console");
}

function evaluate(console, text) {
  return new Promise((resolve, reject) => {
    const started = console.evaluateJSAsync({ text });
    started.catch(reject);
    const off = console.on("evaluationResult", async result => {
      if (result.resultID !== (await started).resultID) return;
      off();
      if (result.exceptionMessage) reject(new Error(result.exceptionMessage));
      else resolve(result.result);
    });
  });
}

async function resultIn(console) {
  const length = await until(async () => {
    const found = await evaluate(console, `${RESULT} === null ? 0 : ${RESULT}.length`);
    return typeof found === "number" && found;
  }, "the function in the service worker does not return");
  let text = "";
  while (text.length < length) {
    text += await evaluate(console, `${RESULT}.slice(${text.length}, ${text.length + SLICE})`);
  }
  return text;
}

// What the driver asks for

function principal(origin) {
  return Services.scriptSecurityManager.createContentPrincipalFromOrigin(origin);
}

const serviceWorkers = Cc["@mozilla.org/serviceworkers/manager;1"].getService(
  Ci.nsIServiceWorkerManager
);

function registrations() {
  const all = serviceWorkers.getAllRegistrations();
  return Array.from({ length: all.length }, (_, index) =>
    all.queryElementAt(index, Ci.nsIServiceWorkerRegistrationInfo)
  );
}

function activeWorker(origin, url) {
  try {
    return serviceWorkers.getRegistrationByPrincipal(principal(origin), url).activeWorker;
  } catch (error) {
    if (error.result === Cr.NS_ERROR_FAILURE) return null; // there is no registration
    throw error;
  }
}

const driver = {
  QueryInterface: ChromeUtils.generateQI(["nsIFactory"]),
  createInstance(iid) {
    return this.QueryInterface(iid);
  },
  get wrappedJSObject() {
    return this;
  },

  take() {
    if (failures.length) throw new Error(failures.splice(0).join("; "));
    const noted = { pushes: pushes.splice(0), changes };
    changes = 0;
    return noted;
  },

  async change(timeout) {
    if (changes) return;
    await Promise.race([changed.promise, new Promise(resolve => setTimeout(resolve, timeout))]);
  },

  async click(id, action) {
    const entry = await find(id);
    const button = entry.alert.actions?.find(each => [each.action, each.title].includes(action));
    if (action !== null && !button) throw new Error(`the notification has no button ${action}`);
    entry.listener.observe(button ?? null, "alertclickcallback", entry.alert.cookie);
    await report(entry, "clicked", action);
  },

  async close(id) {
    const entry = await find(id);
    await gone(entry.alert.name, "closed");
  },

  permission(origin) {
    const set = Services.perms.testPermissionFromPrincipal(
      principal(origin), "desktop-notification"
    );
    const value = set || Services.prefs.getIntPref("permissions.default.desktop-notification", 0);
    return Object.keys(STATES).find(each => Services.perms[STATES[each]] === value) ?? "prompt";
  },

  setPermission(origin, state) {
    Services.perms.addFromPrincipal(
      principal(origin), "desktop-notification", Services.perms[STATES[state]]
    );
  },

  async callWorker(origin, url, expression) {
    const worker = activeWorker(origin, url);
    if (!worker) throw new Error(`no service worker is active for ${url}`);
    await worker.attachDebugger(); // starts it, and keeps it from being stopped
    try {
      const console = await consoleOf(worker.id);
      await evaluate(
        console, `${RESULT} = null; ${expression}.then(text => { ${RESULT} = text; }); 0`
      );
      return await resultIn(console);
    } finally {
      await worker.detachDebugger();
    }
  },

  async forget() {
    await Promise.all([...shown.keys()].map(name => gone(name, "closed")));
    for (const registration of registrations()) registration.forceShutdown(); // or it is waited for
    const failed = await new Promise(resolve => {
      Services.clearData.deleteData(Ci.nsIClearDataService.CLEAR_ALL, { onDataDeleted: resolve });
    });
    if (failed) throw new Error(`the data of sites cannot be cleared: ${failed.toString(2)}`);
  },
};

const registrar = Components.manager.QueryInterface(Ci.nsIComponentRegistrar);
registrar.registerFactory(
  Services.uuid.generateUUID(), "mockpush alerts", "@mozilla.org/alerts-service;1", alerts
);
registrar.registerFactory(
  Services.uuid.generateUUID(), "mockpush prompt", "@mozilla.org/content-permission/prompt;1", prompt
);
registrar.registerFactory(
  Services.uuid.generateUUID(), "mockpush driver", "@mockpush/driver;1", driver
);
