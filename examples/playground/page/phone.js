// The customer's phone.
import { byId, changed, item, list, money, picture, text } from "./parts.js";

const amount = (id, value, currency) => list(byId(id), [money(value), " ", item("small", {}, currency)]);
const row = (name, value) => item("div", {}, item("dt", {}, name), item("dd", {}, value));

export function showPhone({ phone, door, power }) {
  byId("phone").dataset.view = phone.view;
  for (const view of ["home", "request", "browser", "payment", "mine", "real"]) byId(`view-${view}`).hidden = view !== phone.view;
  byId("tab-home").setAttribute("aria-current", phone.view === "home");
  byId("tab-mine").setAttribute("aria-current", phone.view === "mine");
  for (const id of ["says", "request-says"]) {
    byId(id).hidden = !phone.says;
    text(id, phone.says);
  }
  byId("waiting").hidden = !phone.waiting;
  byId("own").hidden = door !== "till";
  byId("number-form").hidden = door !== "till";
  byId("scan").hidden = door === "till";
  picture("own-code", phone.own);
  if (phone.payment) showPayment(phone.payment);
  if (changed("mine", phone.mine)) {
    list(byId("mine"), phone.mine.length ? phone.mine.map((p) => item("li", {}, item("b", {}, p.text), item("span", {}, p.state), item("i", {}, money(p.money.captured || p.money.reserved)))) : [item("li", {}, "No payments yet")]);
  }
  if (phone.view === "browser" && changed("page", [phone.page, phone.turn])) {
    byId("frame").src = phone.page;
    text("address", `vending.example${phone.page.startsWith("/m/s/") ? "/m/s/…" : phone.page}`);
  }
  byId("view-browser").dataset.power = power;
}

function showPayment(payment) {
  if (!changed("payment", payment)) return;
  amount("request-amount", payment.amount, payment.currency);
  text("request-text", payment.text);
  byId("request-choose").hidden = !payment.open;
  byId("close").hidden = payment.open;
  byId("approve").textContent = payment.maximum ? `Reserve up to ${money(payment.amount)}` : `Pay ${money(payment.amount)}`;
  const { captured, reserved, released, refunded, total } = payment.money;
  text("payment-state", payment.state);
  amount("payment-amount", captured || reserved || 0, payment.currency);
  list(byId("payment-money"), [["Reserved", total], ["Charged", captured + refunded], ["Released", released], ["Refunded", refunded]]
    .filter(([, value]) => value > 0).map(([name, value]) => row(name, money(value))));
  byId("receipt").hidden = payment.lines.length === 0;
  list(byId("receipt-lines"), payment.lines.flatMap((line) => [row(line.name, money(line.total)), row("of which tax", money(line.tax))]));
}

const clock = () => text("time", new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }));
clock();
setInterval(clock, 10000);
