// .limits__row: writing an amount chooses "Limit".
document.addEventListener("input", ({ target }) => {
  const row = target.matches("input:not([type=radio])") && target.closest(".limits__row");
  if (row && target.value) row.querySelector('[value="limited"]').checked = true;
});
