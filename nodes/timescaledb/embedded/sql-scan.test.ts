import assert from "node:assert/strict";
import fc from "fast-check";
import { effectsOf, statementsOf } from "./sql-scan.ts";

describe("the SQL scanner", () => {
  it("splits statements and empties literals and comments", () => {
    assert.deepEqual(statementsOf("select 'a;b', \"c;d\" ; -- x;y\nselect /* ; /* ; */ ; */ 2;"), [
      "select '', \"c;d\"",
      "select   2",
    ]);
    assert.deepEqual(statementsOf("select $$;$$; select $t$ ' $$ ; $t$, E'\\';', e'\\\\'; select a$b, 'it''s;'"), [
      "select ''",
      "select '', E'', e''",
      "select a$b, ''''",
    ]);
    assert.deepEqual(statementsOf(" ;; "), []);
  });

  it("terminates on any text and never finds more statements than semicolons allow", () => {
    const piece = fc.constantFrom("'", '"', ";", "$", "$a$", "--", "\n", "/*", "*/", "E'", "\\", "x", " ");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const sql = pieces.join("");
        assert.ok(statementsOf(sql).length <= sql.split(";").length);
      }),
    );
  });

  it("finds COPY from stdin, and only where it is one", () => {
    assert.equal(effectsOf("COPY a (x) FROM STDIN").copyIn, "text");
    assert.equal(effectsOf("/* b */ copy a from stdin with (format binary)").copyIn, "binary");
    assert.equal(effectsOf("select 'copy a from stdin'").copyIn, "no");
    assert.equal(effectsOf("copy (select 1) to stdout -- from stdin").copyIn, "no");
    assert.match(effectsOf("select 1; copy a from stdin").refused ?? "", /query of its own/);
  });

  it("finds channels and changes of the session", () => {
    assert.deepEqual(effectsOf('listen Foo; LISTEN "B""ar"').listen, ["foo", 'B"ar']);
    assert.deepEqual(effectsOf("unlisten *; unlisten foo").unlisten, ["*", "foo"]);
    assert.equal(effectsOf("set search_path = x").settings, true);
    assert.equal(effectsOf("update t set x = 1").settings, false);
    assert.match(effectsOf("discard all").refused ?? "", /refused/);
  });
});
