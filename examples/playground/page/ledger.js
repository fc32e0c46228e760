// The ledger of the sale.
import { byId, changed, item, list, money, text } from "./parts.js";

const detours = { Withdrawing: "Waiting", Choosing: "Waiting", Held: "Vending" };

export function showLedger({ sale, door }) {
  if (!changed("sale", [sale, door])) return;
  byId("ledger").dataset.state = sale?.state ?? "none";
  text("sale-id", sale?.id ?? "");
  text("words", sale?.words ?? "No sale at this door yet.");
  byId("words").dataset.tone = sale?.tone ?? "none";
  byId("desk").hidden = !sale?.held;
  text("held", sale?.held ?? "");
  byId("refund").disabled = !sale?.refund;
  for (const id of ["portal-cancel", "portal-capture"]) {
    const button = document.getElementById(id);
    if (button) button.disabled = !sale?.portal;
  }
  showStates(sale, door);
  showMoney(sale);
  text("rest", sale ? [sale.rest, sale.action && sale.rest && `${sale.action[0].toUpperCase()}${sale.action.slice(1)}.`].filter(Boolean).join(" ") : "");
  byId("rest").dataset.tone = sale?.restTone ?? "none";
  list(byId("resolved"), (sale?.resolved ?? []).map((done) => item("li", {}, item("b", {}, `${done.label}: `), done.says)));
  showLists(sale);
}

function showStates(sale, door) {
  const path = sale?.path ?? [];
  const states = ["Opening", "Waiting", "Vending", "Settling", "Closed"];
  for (const [state, after] of Object.entries(detours)) {
    if (path.includes(state) || state === "Choosing" && ["maximum", "callback"].includes(door)) states.splice(states.indexOf(after) + 1, 0, state);
  }
  list(byId("states"), states.map((state) => {
    const made = item("li", { className: state === sale?.state ? "is" : path.includes(state) ? "was" : "" }, state);
    if (["Withdrawing", "Held"].includes(state)) made.classList.add("detour");
    if (state === sale?.state) made.setAttribute("aria-current", "step");
    return made;
  }));
}

function showMoney(sale) {
  const sums = sale?.money;
  const total = sums?.total ?? 0;
  for (const part of ["captured", "reserved", "refunded", "released"]) {
    byId("money").querySelector(`.strip [data-part=${part}]`).style.width = total ? `${100 * sums[part] / total}%` : "0";
    text(`money-${part}`, total ? money(sums[part]) : "–");
  }
}

function showLists(sale) {
  const history = byId("history");
  const calls = byId("calls");
  list(history, (sale?.steps ?? []).toReversed().map((step) => item("li", {}, item("time", {}, step.at), item("b", {}, step.from && step.from !== step.to ? `${step.from} → ${step.to}` : step.to), item("span", {}, step.why))));
  list(calls, (sale?.calls ?? []).toReversed().map((call) => {
    const says = item("em", {}, call.says);
    says.dataset.tone = call.tone;
    return item("li", {}, item("time", {}, call.at), item("b", {}, call.n > 1 ? `${call.op} × ${call.n}` : call.op), says);
  }));
  history.scrollTop = 0;
  calls.scrollTop = 0;
}
