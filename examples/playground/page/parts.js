// Small things that all parts of the page use.
export const byId = (id) => document.getElementById(id);

const last = new Map();

// changed says whether a part is another one than when it was shown last.
export function changed(part, value) {
  const now = JSON.stringify(value);
  if (last.get(part) === now) return false;
  last.set(part, now);
  return true;
}

export function item(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export const list = (parent, children) => parent.replaceChildren(...children);

export const money = (value) => `${Math.trunc(value / 100)}.${String(value % 100).padStart(2, "0")}`;

// text writes only what is new, so that nothing is read out twice.
export function text(id, words) {
  const where = byId(id);
  if (where.textContent !== words) where.textContent = words;
}

// picture shows the code that a mark stands for.
export function picture(id, mark) {
  const image = byId(id);
  image.hidden = !mark;
  if (mark && image.dataset.mark !== mark) image.src = `/code?mark=${mark}`;
  image.dataset.mark = mark;
}

export function shape(slot) {
  const copy = byId(`slot-${slot}`).querySelector(".good").cloneNode(true);
  copy.classList.add(`product-${slot}`);
  return copy;
}

let trouble;

function complain(words) {
  const line = byId("trouble");
  line.textContent = words;
  line.hidden = false;
  clearTimeout(trouble);
  trouble = setTimeout(() => { line.hidden = true; }, 4500);
}

// act sends what was pressed, and shows why it could not be done.
export async function act(action) {
  try {
    const answer = await fetch("/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(action) });
    const { error } = await answer.json();
    if (error) complain(error);
  } catch {
    complain("The playground has ended. Start it again.");
  }
}
