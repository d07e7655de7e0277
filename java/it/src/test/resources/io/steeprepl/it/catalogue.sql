-- What the catalogue of a database says, a thing a row, with names instead of OIDs: two databases that were made in
-- different ways can be compared. Columns are numbered as they are seen; what was dropped before them does not count.
WITH relation AS (
  SELECT c.*, c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
), routine AS (
  SELECT p.* FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.prokind <> 'a'
), acl AS (
  SELECT a.acl, string_agg(format('%s:%s%s', CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END, x.privilege_type,
                                  CASE WHEN x.is_grantable THEN '*' ELSE '' END), ' ' ORDER BY x.grantee::regrole::text, x.privilege_type) AS list
    FROM (SELECT relacl::text FROM relation UNION SELECT proacl::text FROM routine UNION SELECT attacl::text FROM pg_attribute
          UNION SELECT nspacl::text FROM pg_namespace UNION SELECT initprivs::text FROM pg_init_privs) a (acl), aclexplode(a.acl::aclitem[]) x
   GROUP BY a.acl
)
SELECT format('extension %s version %s schema %s relocatable %s owner %s', e.extname, e.extversion, n.nspname, e.extrelocatable, e.extowner::regrole)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT format('dumped with its rows: %s %s', c.config::regclass, c.condition)
  FROM pg_extension e, unnest(e.extconfig, e.extcondition) c (config, condition)
UNION ALL
SELECT format('member of %s: %s %s', e.extname, o.type, o.identity)
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid, pg_identify_object(d.classid, d.objid, d.objsubid) o
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
UNION ALL
SELECT format('schema %s owner %s acl %s', n.nspname, n.nspowner::regrole, a.list) FROM pg_namespace n LEFT JOIN acl a ON a.acl = n.nspacl::text
 WHERE n.nspname !~ '^pg_(toast_)?temp'
UNION ALL
SELECT format('relation %s kind %s persistence %s owner %s identity %s options %s row security %s %s acl %s', r.name, r.relkind, r.relpersistence,
              r.relowner::regrole, r.relreplident, r.reloptions, r.relrowsecurity, r.relforcerowsecurity, a.list)
  FROM relation r LEFT JOIN acl a ON a.acl = r.relacl::text
UNION ALL
SELECT format('column %s %s: %I %s%s%s%s%s collation %s storage %s compression %s statistics %s options %s acl %s', r.name,
              row_number() OVER (PARTITION BY r.oid ORDER BY t.attnum), t.attname, format_type(t.atttypid, t.atttypmod),
              CASE WHEN t.attnotnull THEN ' NOT NULL' END, ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ' identity ' || nullif(t.attidentity::text, ''),
              ' generated ' || nullif(t.attgenerated::text, ''), t.attcollation::regcollation, t.attstorage, nullif(t.attcompression::text, ''),
              t.attstattarget, t.attoptions, a.list)
  FROM relation r JOIN pg_attribute t ON t.attrelid = r.oid AND t.attnum > 0 AND NOT t.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = t.attnum LEFT JOIN acl a ON a.acl = t.attacl::text
 WHERE r.relkind <> 'i'
UNION ALL
SELECT format('constraint %s %I: %s validated %s', r.name, c.conname, pg_get_constraintdef(c.oid), c.convalidated)
  FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
UNION ALL
SELECT format('index %s: %s valid %s clustered %s identity %s', r.name, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered, i.indisreplident)
  FROM relation r JOIN pg_index i ON i.indrelid = r.oid
UNION ALL
SELECT format('trigger %s enabled %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT format('rule %s enabled %s', pg_get_ruledef(w.oid), w.ev_enabled) FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
UNION ALL
SELECT format('policy %s: %I %s %s %s', r.name, p.polname, p.polcmd, pg_get_expr(p.polqual, r.oid), pg_get_expr(p.polwithcheck, r.oid))
  FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT format('statistics %s', pg_get_statisticsobjdef(s.oid)) FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
UNION ALL
SELECT format('sequence %s: %s from %s by %s between %s and %s cache %s cycle %s of %s %s', r.name, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin,
              s.seqmax, s.seqcache, s.seqcycle, d.refobjid::regclass, d.refobjsubid)
  FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
  LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
UNION ALL
SELECT format('routine %s: %s', p.oid::regprocedure, pg_get_functiondef(p.oid)) FROM routine p
UNION ALL
SELECT format('rights on routine %s owner %s acl %s', p.oid::regprocedure, p.proowner::regrole, a.list) FROM routine p LEFT JOIN acl a ON a.acl = p.proacl::text
UNION ALL
SELECT format('type %s %s not null %s of %s %s', format_type(t.oid, NULL), t.typtype, t.typnotnull, format_type(nullif(t.typbasetype, 0), t.typtypmod),
              (SELECT string_agg(e.enumlabel, ' ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
              || (SELECT string_agg(pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = t.oid))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
UNION ALL
SELECT format('event trigger %I on %s %s: %s enabled %s owner %s', e.evtname, e.evtevent, e.evttags, e.evtfoid::regproc, e.evtenabled, e.evtowner::regrole)
  FROM pg_event_trigger e
UNION ALL
SELECT format('publication %s owner %s insert %s update %s delete %s truncate %s root %s all %s generated %s', p.pubname, p.pubowner::regrole, p.pubinsert,
              p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot, p.puballtables, p.pubgencols)
  FROM pg_publication p
UNION ALL
SELECT format('publication %s holds %s %s where %s', p.pubname, r.prrelid::regclass, r.prattrs, pg_get_expr(r.prqual, r.prrelid))
  FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid
UNION ALL
SELECT format('comment on %s %s: %s', o.type, o.identity, d.description) FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) o
 WHERE d.objoid >= 16384
UNION ALL
SELECT format('first rights %s %s: %s %s', o.type, o.identity, i.privtype, a.list)
  FROM pg_init_privs i LEFT JOIN acl a ON a.acl = i.initprivs::text, pg_identify_object(i.classoid, i.objoid, i.objsubid) o
 WHERE i.objoid >= 16384
ORDER BY 1
