// The pages work without this script: it adds up while the customer chooses, and fetches what has changed.
'use strict';
document.documentElement.classList.add('js');

let leaving = false; // the button was pressed a moment ago
let pressed = false;

// A page that the back button brings back may be out of date.
const anew = () => location.replace(location.pathname + location.search);
addEventListener('pageshow', (event) => { if (event.persisted) anew(); });

addEventListener('DOMContentLoaded', () => {
  const form = document.querySelector('form[data-pattern]');
  if (form) choose(form);
  follow();
  // A phone may open the app and leave this page behind as it was.
  document.addEventListener('visibilitychange', () => { if (pressed && !document.hidden) anew(); });
  addEventListener('submit', (event) => {
    if (leaving) event.preventDefault(); // pressed twice
    leaving = pressed = true;
    event.submitter?.setAttribute('aria-busy', 'true');
    setTimeout(() => { leaving = false; event.submitter?.removeAttribute('aria-busy'); }, 8000);
  });
});

// choose adds up.
function choose(form) {
  const lines = [...form.querySelectorAll('[data-price]')].map((line) => ({
    line, price: Number(line.dataset.price), quantity: line.querySelector('[name=quantity]'),
  }));
  const pay = form.querySelector('.pay');
  const money = (value) => {
    const digits = String(value).padStart(3, '0');
    const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, () => form.dataset.group);
    return form.dataset.pattern.replace('#', () => whole + form.dataset.decimal + digits.slice(-2));
  };
  const add = () => {
    let total = 0;
    for (const { line, price, quantity } of lines) {
      const count = Math.max(0, Math.min(50, Math.trunc(Number(quantity.value)) || 0));
      line.classList.toggle('taken', count > 0);
      total += price * count;
    }
    form.elements.total.value = total;
    form.querySelector('[data-total]').textContent = money(total);
    pay.disabled = total === 0;
  };
  for (const { quantity } of lines) {
    quantity.addEventListener('input', add);
    quantity.addEventListener('change', () => {
      quantity.value = Math.max(0, Math.min(50, Math.trunc(Number(quantity.value)) || 0));
      add();
    });
  }
  form.addEventListener('click', (event) => {
    const [verb] = (event.target.closest?.('[name=step]')?.value ?? '').split(' ');
    if (verb !== 'more' && verb !== 'less') return;
    event.preventDefault();
    const quantity = event.target.closest('[data-price]').querySelector('[name=quantity]');
    if (verb === 'more') quantity.stepUp(); else quantity.stepDown();
    add();
  });
  pay.textContent = pay.dataset.pay;
  add();
}

// follow keeps the parts of a page up to date that change on the server.
function follow() {
  const main = document.querySelector('main');
  if (!main?.dataset.live) return;
  let source, timer;
  const stop = () => { source?.close(); clearInterval(timer); };
  const refresh = async () => {
    if (leaving || document.hidden) return;
    const answer = await fetch(location.pathname + location.search, { cache: 'no-store' });
    if (!answer.ok || leaving) return;
    if (answer.redirected) return location.replace(answer.url);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const next = page.querySelector('main');
    for (const part of main.querySelectorAll('[data-part]')) {
      const now = next.querySelector(`[data-part=${part.dataset.part}]`);
      if (now && now.innerHTML !== part.innerHTML) part.innerHTML = now.innerHTML;
    }
    document.title = page.title;
    main.dataset.version = next.dataset.version;
    main.dataset.live = next.dataset.live ?? '';
    if (!main.dataset.live) stop();
  };
  const quietly = () => refresh().catch(() => {}); // the network may be away for a while
  const poll = () => { timer ??= setInterval(quietly, 2000); };
  document.addEventListener('visibilitychange', quietly);
  if (!window.EventSource) return poll();
  source = new EventSource(main.dataset.live);
  source.onmessage = (event) => { if (event.data !== main.dataset.version) quietly(); };
  source.onerror = () => { if (source.readyState === EventSource.CLOSED && main.dataset.live) poll(); };
}
