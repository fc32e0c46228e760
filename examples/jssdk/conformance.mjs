// Runs the official JavaScript SDK of Vipps MobilePay against an emulator, to show that the emulator is one for programs that
// know nothing of this module: what the SDK sends is accepted, what it reads is there, and what the documentation says is
// refused is refused with the documented code.
//
//   go run ../emulator
//   npm ci && VIPPS_BASE_URL=http://127.0.0.1:8080 node conformance.mjs

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client } from "@vippsmobilepay/sdk";

const base = process.env.VIPPS_BASE_URL;
assert.ok(base, "VIPPS_BASE_URL must be set to the emulator's address");

// The SDK knows two addresses and no third. Its requests are sent to the emulator instead, otherwise unchanged.
let idempotencyKey; // for the next request; the SDK makes one up for each call
const fetchOriginal = globalThis.fetch;
globalThis.fetch = async (request) => {
  const { origin, pathname, search } = new URL(request.url);
  assert.equal(origin, "https://apitest.vipps.no");
  const headers = new Headers(request.headers);
  if (idempotencyKey) headers.set("Idempotency-Key", idempotencyKey);
  const body = await request.text();
  return fetchOriginal(base + pathname + search, { method: request.method, headers, body: body || undefined });
};

const vipps = Client({
  merchantSerialNumber: "654321",
  subscriptionKey: "any-subscription-key",
  useTestMode: true,
  retryRequests: false,
  systemName: "conformance",
  systemVersion: "1.0.0",
  pluginName: "conformance-plugin",
  pluginVersion: "1.0.0",
});

let count = 0;

async function accepted(what, call) {
  const result = await call;
  assert.ok(result.ok, `${what}: ${JSON.stringify(result.error?.message ?? result.error)}`);
  count++;
  console.log("accepted", what);
  return result.data;
}

async function refused(what, status, code, call) {
  const result = await call;
  assert.ok(!result.ok, `${what}: was accepted`);
  const { error } = result;
  const codes = (error.extraDetails ?? []).filter((d) => d.name === "ErrorCode").map((d) => d.reason);
  assert.equal(error.status, status, `${what}: ${JSON.stringify(error.message ?? error)}`);
  assert.deepEqual(codes, code ? [code] : [], `${what}: ${JSON.stringify(error)}`);
  assert.ok(error.title && error.traceId, `${what}: ${JSON.stringify(error)}`);
  count++;
  console.log("refused ", what, status, code ?? "");
  return error;
}

async function withKey(key, call) {
  idempotencyKey = key;
  try {
    return await call();
  } finally {
    idempotencyKey = undefined;
  }
}

const nok = (value) => ({ currency: "NOK", value });
const modification = (value) => ({ modificationAmount: nok(value) });
const customer = { customer: { phoneNumber: "4712345678" } };

const order = (over = {}) => ({
  amount: nok(2500),
  paymentMethod: { type: "WALLET" },
  customer: { phoneNumber: "4712345678" },
  customerInteraction: "CUSTOMER_PRESENT",
  reference: "jssdk-" + randomUUID(),
  returnUrl: "https://shop.example/return",
  userFlow: "WEB_REDIRECT",
  paymentDescription: "One Cola",
  metadata: { machine: "oslo12" },
  ...over,
});

function money(payment, authorized, captured, cancelled, refunded) {
  const { authorizedAmount, capturedAmount, cancelledAmount, refundedAmount } = payment.aggregate;
  assert.deepEqual(
    [authorizedAmount, capturedAmount, cancelledAmount, refundedAmount],
    [nok(authorized), nok(captured), nok(cancelled), nok(refunded)],
  );
}

// The token: any credentials do.
const got = await accepted("token", vipps.auth.getToken(randomUUID(), "any secret"));
assert.equal(got.token_type, "Bearer");
assert.ok(Number(got.expires_in) > 0 && Number(got.expires_on) > Date.now() / 1000);
const token = got.access_token;
const withoutSecret = await vipps.auth.getToken(randomUUID(), "");
assert.ok(!withoutSecret.ok && withoutSecret.error.error_description, "a token without a secret");

// Webhooks, to an address of this machine.
const url = "http://127.0.0.1:9/hook";
const events = ["epayments.payment.authorized.v1", "epayments.payment.captured.v1"];
const hook = await accepted("webhook: register", vipps.webhook.register(token, { url, events }));
assert.ok(hook.id && hook.secret);
const list = await accepted("webhook: list", vipps.webhook.list(token));
assert.deepEqual(list.webhooks, [{ id: hook.id, url, events }]);
await accepted("webhook: delete", vipps.webhook.delete(token, hook.id));
assert.deepEqual((await accepted("webhook: list again", vipps.webhook.list(token))).webhooks, []);
await refused("webhook: delete again", 404, undefined, vipps.webhook.delete(token, hook.id));
await refused("webhook: unknown event", 400, undefined, vipps.webhook.register(token, { url, events: ["no.such.event.v1"] }));
await refused("webhook: not this machine and not https", 400, undefined, vipps.webhook.register(token, { url: "http://shop.example", events }));

// A payment from beginning to end.
const body = order();
const { reference } = body;
const createKey = randomUUID();
const made = await withKey(createKey, () => accepted("create", vipps.payment.create(token, body)));
assert.equal(made.reference, reference);
assert.ok(made.redirectUrl.startsWith(base));
assert.deepEqual(await withKey(createKey, () => accepted("create, repeated with its key", vipps.payment.create(token, body))), made);
await refused("create: reference exists", 409, "4150", vipps.payment.create(token, body));
await withKey(createKey, () => refused("create: key of another request", 409, "4020", vipps.payment.create(token, order())));

const created = await accepted("read", vipps.payment.info(token, reference));
assert.equal(created.state, "CREATED");
assert.deepEqual([created.reference, created.amount, created.metadata], [reference, nok(2500), { machine: "oslo12" }]);
assert.equal(created.paymentMethod.type, "WALLET");
assert.ok(created.pspReference);
money(created, 0, 0, 0, 0);

await refused("capture before reservation", 400, "6080", vipps.payment.capture(token, reference, modification(100)));
await refused("refund before reservation", 400, "6020", vipps.payment.refund(token, reference, modification(100)));
await accepted("approve", vipps.payment.forceApprove(token, reference, customer));
const approved = await accepted("read, approved", vipps.payment.info(token, reference));
assert.equal(approved.state, "AUTHORIZED");
money(approved, 2500, 0, 0, 0);
await refused("approve again", 400, "6230", vipps.payment.forceApprove(token, reference, customer));

await refused("capture too much", 400, "6090", vipps.payment.capture(token, reference, modification(2501)));
const captureKey = randomUUID();
const captured = await withKey(captureKey, () => accepted("capture in part", vipps.payment.capture(token, reference, modification(1000))));
assert.equal(captured.state, "AUTHORIZED");
money(captured, 2500, 1000, 0, 0);
assert.deepEqual(
  await withKey(captureKey, () => accepted("capture, repeated with its key", vipps.payment.capture(token, reference, modification(1000)))),
  captured,
);

money(await accepted("cancel the rest", vipps.payment.cancel(token, reference)), 2500, 1000, 1500, 0);
await refused("capture what was cancelled", 400, "6070", vipps.payment.capture(token, reference, modification(100)));
await refused("refund too much", 400, "6150", vipps.payment.refund(token, reference, modification(1001)));
money(await accepted("refund in part", vipps.payment.refund(token, reference, modification(400))), 2500, 1000, 1500, 400);
money(await accepted("refund the rest", vipps.payment.refund(token, reference, modification(600))), 2500, 1000, 1500, 1000);
await refused("refund again", 400, "6180", vipps.payment.refund(token, reference, modification(100)));

const log = await accepted("event log", vipps.payment.history(token, reference));
assert.deepEqual(
  log.map((e) => [e.name, e.amount.value, e.success]),
  [["CREATED", 2500, true], ["AUTHORIZED", 2500, true], ["CAPTURED", 1000, true], ["CANCELLED", 1500, true],
    ["REFUNDED", 400, true], ["REFUNDED", 600, true]],
);
assert.ok(log.every((e) => e.reference === reference && e.pspReference && !Number.isNaN(Date.parse(e.timestamp))));
assert.equal(log[2].idempotencyKey, captureKey);

// All of it captured: nothing is left to cancel or capture. (Another payment, since five captures a minute are allowed for one.)
const full = (await accepted("create, to the full", vipps.payment.create(token, order()))).reference;
await accepted("approve, to the full", vipps.payment.forceApprove(token, full, customer));
await refused("capture another currency", 400, "5040", vipps.payment.capture(token, full, { modificationAmount: { currency: "EUR", value: 100 } }));
const fullKey = randomUUID();
money(await withKey(fullKey, () => accepted("capture everything", vipps.payment.capture(token, full, modification(2500)))), 2500, 2500, 0, 0);
await withKey(fullKey, () => refused("capture: key of another amount", 409, "4010", vipps.payment.capture(token, full, modification(900))));
await refused("cancel after full capture", 400, "6040", vipps.payment.cancel(token, full));
await refused("capture again", 400, "6170", vipps.payment.capture(token, full, modification(100)));

// Cancelled before anybody approved.
const early = (await accepted("create, to cancel", vipps.payment.create(token, order()))).reference;
const ended = await accepted("cancel before approval", vipps.payment.cancel(token, early));
assert.equal(ended.state, "TERMINATED");
await refused("capture what was terminated", 400, "6200", vipps.payment.capture(token, early, modification(100)));

// All that the SDK's types allow: each flow, a receipt, a name made up by the SDK.
await accepted("create: QR", vipps.payment.create(token, order({ userFlow: "QR", qrFormat: { format: "IMAGE/PNG", size: 500 } })));
await accepted("create: NATIVE_REDIRECT", vipps.payment.create(token, order({ userFlow: "NATIVE_REDIRECT", returnUrl: "shop://return" })));
const push = await accepted("create: PUSH_MESSAGE", vipps.payment.create(token, order({ userFlow: "PUSH_MESSAGE" })));
assert.equal(push.redirectUrl, undefined);
const unnamed = await accepted("create: without a reference", vipps.payment.create(token, order({ reference: undefined })));
assert.match(unnamed.reference, /^[0-9a-f-]{36}$/);
await accepted("create: with a receipt", vipps.payment.create(token, order({
  receipt: {
    orderLines: [{
      name: "Cola", id: "1", totalAmount: 2500, totalAmountExcludingTax: 2174, totalTaxAmount: 326, taxRate: 1500,
      unitInfo: { unitPrice: 2500, quantity: "1", quantityUnit: "PCS" }, discount: 0, isReturn: false, isShipping: false,
    }],
    bottomLine: { currency: "NOK", posId: "oslo12", receiptNumber: "17", paymentSources: { card: 2500 } },
  },
  receiptUrl: "https://shop.example/receipt/17",
  minimumUserAge: 18,
  profile: { scope: "name phoneNumber" },
})));

await accepted("create: with every null that the types allow", vipps.payment.create(token, order({
  minimumUserAge: null, expiresAt: null, qrFormat: null, metadata: null, receiptUrl: null,
  receipt: {
    orderLines: [{
      name: "Cola", id: "1", totalAmount: 2500, totalAmountExcludingTax: 2174, totalTaxAmount: 326,
      taxPercentage: 15, taxRate: null, discount: null, productUrl: null, isReturn: null, isShipping: null,
      unitInfo: { unitPrice: null, quantity: "0.5" },
    }],
    bottomLine: {
      currency: "NOK", tipAmount: null, giftCardAmount: null, posId: null, totalAmount: null, totalTax: null,
      totalDiscount: null, shippingAmount: null, receiptNumber: null, terminalId: null,
      shippingInfo: { amount: null, amountExcludingTax: null, taxAmount: null, taxPercentage: null },
      paymentSources: { giftCard: null, card: null, voucher: null, cash: null },
      barcode: { format: "CODE 39", data: null },
    },
  },
  industryData: {
    airlineData: { agencyInvoiceNumber: "123456", airlineCode: "074", airlineDesignatorCode: "KL", passengerName: "FLYER / MARY MS." },
  },
})));

// Refused for what they say.
await refused("create: too small", 400, "6010", vipps.payment.create(token, order({ amount: nok(99) })));
await refused("create: no returnUrl", 400, "4140", vipps.payment.create(token, order({ returnUrl: undefined })));
await refused("create: short reference", 400, undefined, vipps.payment.create(token, order({ reference: "short" })));
await refused("read: no such payment", 404, "5090", vipps.payment.info(token, "no-such-payment"));
await refused("capture: no such payment", 404, "5090", vipps.payment.capture(token, "no-such-payment", modification(100)));
const stranger = await vipps.payment.info("not a token", reference);
assert.ok(!stranger.ok, "a token that nobody gave was accepted");

console.log(`${count} calls were answered as documented`);
