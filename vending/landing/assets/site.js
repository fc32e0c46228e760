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
    line, price: Number(line.dataset.price), age: Number(line.dataset.age) || 0, quantity: line.querySelector('[name=quantity]'),
  }));
  const limit = form.querySelector('[data-age-check]');
  const pay = form.querySelector('.pay');
  const money = (value) => {
    const digits = String(value).padStart(3, '0');
    const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, () => form.dataset.group);
    return form.dataset.pattern.replace('#', () => whole + form.dataset.decimal + digits.slice(-2));
  };
  const add = () => {
    let total = 0;
    let limited = false;
    for (const { line, price, age, quantity } of lines) {
      const count = Math.max(0, Math.min(50, Math.trunc(Number(quantity.value)) || 0));
      line.classList.toggle('taken', count > 0);
      total += price * count;
      limited ||= count > 0 && age > 0;
    }
    if (limit) limit.hidden = !limited;
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

// slowly is how often a page that is over is fetched again, in milliseconds, and slowTimes how many times: somebody may give
// money back later.
const slowly = 30000;
const slowTimes = 20;

// follow keeps the parts of a page up to date that change on the server.
function follow() {
  const main = document.querySelector('main');
  if (!main?.dataset.version) return;
  let source, timer;
  const stop = () => { source?.close(); source = undefined; clearInterval(timer); timer = undefined; };
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
    const before = main.dataset.live;
    main.dataset.live = next.dataset.live ?? '';
    if (main.dataset.live !== before) listen();
  };
  const quietly = () => refresh().catch(() => {}); // the network may be away for a while
  const poll = () => { timer ??= setInterval(quietly, 2000); };
  const listen = () => {
    stop();
    if (!main.dataset.live) {
      let left = slowTimes;
      timer = setInterval(() => { if (left-- > 0) quietly(); else stop(); }, slowly);
      return;
    }
    if (!window.EventSource) return poll();
    source = new EventSource(main.dataset.live);
    source.onmessage = (event) => { if (event.data !== main.dataset.version) quietly(); };
    source.onerror = () => { if (source?.readyState === EventSource.CLOSED && main.dataset.live) poll(); };
  };
  document.addEventListener('visibilitychange', quietly);
  listen();
}
