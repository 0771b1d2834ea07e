// [data-quote]: a first guess of the price while typing. The server's answer, swapped in by htmx, replaces it.
//   [data-quote-facts] data-each="price of a character" data-field="id" data-left="41.80" data-limit="120" data-sign="¥"
(() => {
  function money(amount, sign) {
    const small = amount > 0 && amount < 0.01;
    const text = new Intl.NumberFormat(document.documentElement.lang, {
      minimumFractionDigits: 2, maximumFractionDigits: small ? 4 : 2,
    }).format(amount);
    return `${sign}${text}`;
  }

  document.addEventListener("input", ({ target }) => {
    for (const quote of target.closest("form")?.querySelectorAll("[data-quote]") ?? []) {
      const { each, field, left, limit, sign } = quote.querySelector("[data-quote-facts]")?.dataset ?? {};
      if (!each || field !== target.id) continue;
      const price = Number(each) * Math.max(1, [...target.value.trim()].length);
      quote.querySelector("[data-quote-price]").textContent = money(price, sign);
      const after = quote.querySelector("[data-quote-after]");
      if (after) after.textContent = money(Math.max(0, left - price), sign);
      const next = quote.querySelector(".meter__next");
      next?.setAttribute("width", `${Math.min(100, Math.max(1, price / limit * 100))}%`);
    }
  });
})();
