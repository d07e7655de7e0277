package io.steeprepl.direct;

import io.steeprepl.api.Health;
import io.steeprepl.api.HealthApi;
import java.util.List;

/** {@link HealthApi} by SQL, which also takes the document apart. */
record DirectHealth(Database database) implements HealthApi {
    private static final String PARTS = """
            SELECT h->>'status' AS status, h->>'version' AS version, h->>'node_id' AS node_id, h::text AS document,
                   ARRAY(SELECT jsonb_array_elements_text(coalesce(h->'reasons', '[]'))) AS reasons
              FROM (SELECT ?::jsonb AS h) d""";

    private static final String FACTS = """
            SELECT s.key AS section, o.key AS name, o.value
              FROM jsonb_each(?::jsonb) s, jsonb_each_text(CASE jsonb_typeof(s.value) WHEN 'object' THEN s.value END) o
             WHERE o.value IS NOT NULL
             UNION ALL
            SELECT s.key, coalesce(a.value->>'name', a.value->>'peer', a.value->>'slot_name', a.n::text),
                   (SELECT string_agg(p.key || ' ' || p.value, ', ' ORDER BY p.n)
                      FROM jsonb_each_text(a.value) WITH ORDINALITY p(key, value, n)
                     WHERE p.value IS NOT NULL AND p.key NOT IN ('name', 'peer'))
              FROM jsonb_each(?::jsonb) s,
                   jsonb_array_elements(CASE jsonb_typeof(s.value) WHEN 'array' THEN s.value END) WITH ORDINALITY a(value, n)
             WHERE jsonb_typeof(a.value) = 'object'
             ORDER BY 1, 2""";

    @Override
    public Health get() {
        String document = database.row("SELECT steep_repl.health()::text AS health", row -> row.text("health"));
        List<Health.Fact> facts = database.rows(
                FACTS,
                row -> new Health.Fact(row.text("section"), row.text("name"), row.text("value")),
                document,
                document);
        return database.row(
                PARTS,
                row -> new Health(
                        row.text("status"),
                        row.texts("reasons"),
                        row.text("version"),
                        row.textOrNull("node_id"),
                        facts,
                        row.text("document")),
                document);
    }
}
