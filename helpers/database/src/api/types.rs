//! Names for the numbers that servers have for types of columns.

use storable::Value;

use super::dsn::Driver;

impl Driver {
    /// A type's name, for what the driver says about a column.
    pub fn type_name(self, kind: &Value) -> Option<String> {
        let Some(number) = kind.as_i64() else { return kind.as_str().map(str::to_owned) };
        let table = if self == Self::Pg { PG_TYPES } else { MYSQL_TYPES };
        let found = table.iter().find(|(known, _)| *known == number);
        Some(found.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned()))
    }
}

/// The commonest of `pg_type`.
const PG_TYPES: &[(i64, &str)] = &[
    (16, "boolean"),
    (17, "bytea"),
    (18, "\"char\""),
    (19, "name"),
    (20, "bigint"),
    (21, "smallint"),
    (23, "integer"),
    (25, "text"),
    (26, "oid"),
    (114, "json"),
    (700, "real"),
    (701, "double precision"),
    (1042, "character"),
    (1043, "character varying"),
    (1082, "date"),
    (1083, "time without time zone"),
    (1114, "timestamp without time zone"),
    (1184, "timestamp with time zone"),
    (1186, "interval"),
    (1700, "numeric"),
    (2950, "uuid"),
    (3802, "jsonb"),
];

/// The types of columns in MySQL's protocol.
const MYSQL_TYPES: &[(i64, &str)] = &[
    (0, "decimal"),
    (1, "tinyint"),
    (2, "smallint"),
    (3, "integer"),
    (4, "float"),
    (5, "double"),
    (6, "null"),
    (7, "timestamp"),
    (8, "bigint"),
    (9, "mediumint"),
    (10, "date"),
    (11, "time"),
    (12, "datetime"),
    (13, "year"),
    (15, "varchar"),
    (16, "bit"),
    (245, "json"),
    (246, "decimal"),
    (247, "enum"),
    (248, "set"),
    (249, "tinyblob"),
    (250, "mediumblob"),
    (251, "longblob"),
    (252, "blob"),
    (253, "varchar"),
    (254, "char"),
    (255, "geometry"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names() {
        assert_eq!(Driver::Pg.type_name(&Value::Int(23)).as_deref(), Some("integer"));
        assert_eq!(Driver::Mysql.type_name(&Value::Int(253)).as_deref(), Some("varchar"));
        assert_eq!(Driver::Pg.type_name(&Value::Int(99_999)).as_deref(), Some("99999"));
        assert_eq!(Driver::Pg.type_name(&Value::from("int4")).as_deref(), Some("int4"));
    }
}
