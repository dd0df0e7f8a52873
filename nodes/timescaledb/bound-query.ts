import pg, { type ClientBase, type Connection, type QueryResult, type QueryResultRow } from "pg";

/** A parameter as it travels: bytes in binary, text as PostgreSQL reads it. */
export type WireValue = Buffer | string | null;

/** A statement that the server keeps under its name. */
export interface Statement {
  name: string;
  text: string;
}

const TEXT_FORMAT = 0;
const BINARY_FORMAT = 1;
const NULL_LENGTH = -1;

/**
 * `client.query` for parameters of a megabyte: pg's writer comes to the length of a message by growing, which takes four
 * times its memory at each batch. That is outside V8's heap, and each 64 MB of it cost a collection of all of the heap.
 */
export function queryBound<R extends QueryResultRow>(
  client: ClientBase,
  statement: Statement,
  values: readonly WireValue[],
): Promise<QueryResult<R>> {
  let message: Buffer | undefined = bindMessage(statement.name, values);
  // Held no longer than needed: what closures of a query hold was seen to stay until the next collection of all of the heap.
  const take = () => {
    const taken = message;
    message = undefined;
    return taken;
  };
  return new Promise((resolve, reject) => {
    const query = new pg.Query<R>({ ...statement, values: [] }, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
    const { submit } = query;
    query.submit = (connection) => submit.call(query, binding(connection, take));
    client.query(query);
  });
}

/** The connection, but that it sends this message when it is asked to bind; as pg does, only while it is not ended. */
function binding(connection: Connection, take: () => Buffer | undefined): Connection {
  const { stream } = connection;
  return Object.create(connection, { bind: { value: () => stream.writable && stream.write(take()) } });
}

/**
 * The message that gives a prepared statement its parameters (`Bind` in PostgreSQL's "Message Formats"), for the unnamed
 * portal, with results as text; in memory of just its length.
 */
export function bindMessage(statement: string, values: readonly WireValue[]): Buffer {
  const name = Buffer.byteLength(statement);
  const sizes = values.map((value) =>
    typeof value === "string" ? Buffer.byteLength(value) : (value?.length ?? NULL_LENGTH),
  );
  // Behind the type: length, portal, name, formats, values, and one format for all results.
  const length =
    4 + 1 + name + 1 + 2 + 2 * values.length + 2 + sizes.reduce((sum, size) => sum + 4 + Math.max(0, size), 0) + 4;
  const message = Buffer.allocUnsafe(1 + length);
  let at = message.write("B", 0, "latin1");
  at = message.writeInt32BE(length, at);
  at = message.writeUInt8(0, at);
  at += message.write(statement, at);
  at = message.writeUInt8(0, at);
  at = message.writeUInt16BE(values.length, at);
  for (const value of values) at = message.writeInt16BE(Buffer.isBuffer(value) ? BINARY_FORMAT : TEXT_FORMAT, at);
  at = message.writeUInt16BE(values.length, at);
  for (const [index, value] of values.entries()) {
    at = message.writeInt32BE(sizes[index] ?? NULL_LENGTH, at);
    if (typeof value === "string") at += message.write(value, at);
    else if (value !== null) at += value.copy(message, at);
  }
  at = message.writeInt16BE(1, at);
  message.writeInt16BE(TEXT_FORMAT, at);
  return message;
}
