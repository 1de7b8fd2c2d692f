// Numbers of any size as a reader writes them: 1.2×10⁻⁷ rather than 1.2e-7.

import { formatCount, formatDecade } from "./format.js";

/** 1.2×10⁻⁷, 0.031, 12,000, 7.3×10⁷: `digits` that count. */
export function power(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e3 && size < 1e6) return formatCount(Number(value.toPrecision(digits))).replace("-", "−");
  if (size >= 1e-3 && size < 1e3) return value.toPrecision(size >= 10 ** (digits - 1) ? Math.floor(Math.log10(size)) + 1 : digits).replace("-", "−");
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${mantissa}×${formatDecade(Number(exponent))}`.replace("-", "−");
}
