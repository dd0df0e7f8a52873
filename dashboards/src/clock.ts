import { ref } from "vue";

const REMEMBERED = 30;
const TICK_MS = 500;

/** Differences (server − tablet, ms) of the last messages; delays only ever make them smaller. */
const differences: number[] = [];

/**
 * The server's present, ms since the epoch, ticking twice a second: a tablet whose clock is wrong shows right ages.
 */
export const serverNow = ref(Date.now());

/**
 * Learns from the server's clock in a message; one that was kept and sent again later cannot do harm. The clock itself goes on
 * with its next tick: messages come fifty times a second, and every card that shows an age is drawn again when it moves.
 */
export function heard(serverMs: number): void {
  differences.push(serverMs - Date.now());
  if (differences.length > REMEMBERED) differences.shift();
  if (differences.length === 1) update();
}

function update(): void {
  serverNow.value = Date.now() + (differences.length > 0 ? Math.max(...differences) : 0);
}

setInterval(update, TICK_MS);
