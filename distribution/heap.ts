import { setFlagsFromString } from "node:v8";

/**
 * Samples live for half a second, until they are stored: too long for V8's guess that what outlives the first small heaps of
 * a start is there to stay. It then made them where only a collection of all of the heap finds them, one in six seconds, each
 * of which held up the grade on the screen. With less to find, such a collection also may wait until the heap has doubled.
 * To be imported before the code that it is for is compiled.
 */
setFlagsFromString("--no-allocation-site-pretenuring");
setFlagsFromString("--heap-growing-percent=100");
