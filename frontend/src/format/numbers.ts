const whole = new Intl.NumberFormat('en-GB');
const compact = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: 0 });

/** 12345 → 12,345 */
export const formatCount = (count: number) => whole.format(count);
/** 12345 → 12.3k, for an axis. */
export const formatCompact = (count: number) => compact.format(count).toLowerCase();
/** 0.316 → 32% */
export const formatShare = (share: number) => percent.format(share);
