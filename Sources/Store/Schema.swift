import GRDB

/// The database's schema: one migration per change, never edited after a release.
///
/// Rules that must hold whoever writes (this program, the command line beside it, a person with an SQLite shell) stand
/// here as constraints; Swift checks them too where it can say the reason in words. Times are milliseconds since 1970.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 the household") { try $0.execute(sql: household) }
        migrator.registerMigration("2 bindings") { try $0.execute(sql: bindings) }
        migrator.registerMigration("3 changes") { try $0.execute(sql: changes) }
        migrator.registerMigration("4 people without keys") { try $0.execute(sql: peopleWithoutKeys) }
        return migrator
    }

    private static let household = """
        CREATE TABLE settings (
            name TEXT NOT NULL PRIMARY KEY,
            value BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE people (
            user_name TEXT NOT NULL PRIMARY KEY CHECK (
                length(user_name) BETWEEN 1 AND 32
                AND user_name GLOB '[a-z]*' AND user_name NOT GLOB '*[^a-z0-9._-]*'),
            full_name TEXT NOT NULL CHECK (length(full_name) BETWEEN 1 AND 512),
            role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
            signing_key BLOB NOT NULL CHECK (length(signing_key) = 65),
            agreement_key BLOB NOT NULL CHECK (length(agreement_key) = 65),
            created INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- A house without an owner could never be opened again.
        CREATE TRIGGER last_owner_stays BEFORE DELETE ON people
        WHEN OLD.role = 'owner' AND (SELECT count(*) FROM people WHERE role = 'owner') = 1
        BEGIN SELECT RAISE(ABORT, 'the last owner stays'); END;
        CREATE TRIGGER last_owner_stays_owner BEFORE UPDATE OF role ON people
        WHEN OLD.role = 'owner' AND NEW.role <> 'owner' AND (SELECT count(*) FROM people WHERE role = 'owner') = 1
        BEGIN SELECT RAISE(ABORT, 'the last owner stays'); END;

        CREATE TABLE credentials (
            user_name TEXT NOT NULL PRIMARY KEY REFERENCES people ON DELETE CASCADE,
            password_salt BLOB NOT NULL CHECK (length(password_salt) = 16),
            password_verifier_salt BLOB NOT NULL CHECK (length(password_verifier_salt) = 16),
            password_verifier BLOB NOT NULL CHECK (length(password_verifier) = 32),
            wrapped_iv BLOB NOT NULL CHECK (length(wrapped_iv) = 12),
            wrapped_keys BLOB NOT NULL CHECK (length(wrapped_keys) BETWEEN 17 AND 4096),
            recovery_salt BLOB NOT NULL CHECK (length(recovery_salt) = 16),
            recovery_verifier_salt BLOB NOT NULL CHECK (length(recovery_verifier_salt) = 16),
            recovery_verifier BLOB NOT NULL CHECK (length(recovery_verifier) = 32),
            recovery_iv BLOB NOT NULL CHECK (length(recovery_iv) = 12),
            recovery_keys BLOB NOT NULL CHECK (length(recovery_keys) BETWEEN 17 AND 4096)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE links (
            id TEXT NOT NULL PRIMARY KEY,
            token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
            purpose TEXT NOT NULL CHECK (purpose IN ('owner', 'member', 'reset')),
            user_name TEXT CHECK (purpose = 'owner' OR user_name IS NOT NULL),
            full_name TEXT,
            inviter TEXT REFERENCES people ON DELETE SET NULL,
            created INTEGER NOT NULL,
            expires INTEGER NOT NULL CHECK (expires > created),
            used INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX one_open_link_per_name ON links (user_name) WHERE used IS NULL;
        CREATE INDEX links_of_inviter ON links (inviter);

        CREATE TABLE sessions (
            id TEXT NOT NULL PRIMARY KEY,
            token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
            user_name TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
            created INTEGER NOT NULL,
            last_used INTEGER NOT NULL,
            user_agent TEXT NOT NULL
        ) STRICT;
        CREATE INDEX sessions_of_person ON sessions (user_name, last_used);

        CREATE TABLE phones (
            id TEXT NOT NULL PRIMARY KEY,
            user_name TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
            label TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 320),
            md5 BLOB NOT NULL CHECK (length(md5) = 16),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            created INTEGER NOT NULL,
            UNIQUE (user_name, label)
        ) STRICT;
        CREATE TRIGGER ten_phones_each BEFORE INSERT ON phones
        WHEN (SELECT count(*) FROM phones WHERE user_name = NEW.user_name) >= 10
        BEGIN SELECT RAISE(ABORT, 'ten phones each'); END;
        """

    private static let bindings = """
        CREATE TABLE bindings (
            user_name TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
            key BLOB NOT NULL,
            contact BLOB NOT NULL,
            instance BLOB NOT NULL,
            reg_id INTEGER NOT NULL,
            q INTEGER NOT NULL,
            call_id BLOB NOT NULL,
            cseq INTEGER NOT NULL,
            path BLOB NOT NULL,
            phone BLOB NOT NULL,
            user_agent BLOB NOT NULL,
            transport INTEGER NOT NULL,
            flow INTEGER NOT NULL,
            remote BLOB NOT NULL,
            local BLOB NOT NULL,
            expires INTEGER NOT NULL,
            PRIMARY KEY (user_name, key)
        ) STRICT, WITHOUT ROWID;
        """

    /// A journal of what a running server must hear about, whichever process wrote it. It is read by sequence number.
    private static let changes = """
        CREATE TABLE changes (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            user_name TEXT NOT NULL,
            session TEXT
        ) STRICT;
        CREATE TRIGGER person_came AFTER INSERT ON people
        BEGIN INSERT INTO changes (user_name) VALUES (NEW.user_name); END;
        CREATE TRIGGER person_changed AFTER UPDATE ON people
        BEGIN INSERT INTO changes (user_name) VALUES (NEW.user_name); END;
        CREATE TRIGGER person_went AFTER DELETE ON people
        BEGIN INSERT INTO changes (user_name) VALUES (OLD.user_name); END;
        CREATE TRIGGER phone_came AFTER INSERT ON phones
        BEGIN INSERT INTO changes (user_name) VALUES (NEW.user_name); END;
        CREATE TRIGGER phone_changed AFTER UPDATE ON phones
        BEGIN INSERT INTO changes (user_name) VALUES (NEW.user_name); END;
        CREATE TRIGGER phone_went AFTER DELETE ON phones
        BEGIN INSERT INTO changes (user_name) VALUES (OLD.user_name); END;
        CREATE TRIGGER session_ended AFTER DELETE ON sessions
        BEGIN INSERT INTO changes (user_name, session) VALUES (OLD.user_name, OLD.id); END;
        """

    /// Whoever has telephones alone has no keys yet. SQLite adds no NULL to a column, so the table is made anew
    /// (lang_altertable.html §7), with its triggers; the migrator checks the references to it afterwards.
    private static let peopleWithoutKeys = """
        CREATE TABLE new_people (
            user_name TEXT NOT NULL PRIMARY KEY CHECK (
                length(user_name) BETWEEN 1 AND 32
                AND user_name GLOB '[a-z]*' AND user_name NOT GLOB '*[^a-z0-9._-]*'),
            full_name TEXT NOT NULL CHECK (length(full_name) BETWEEN 1 AND 512),
            role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
            signing_key BLOB CHECK (length(signing_key) = 65),
            agreement_key BLOB CHECK (length(agreement_key) = 65),
            created INTEGER NOT NULL,
            CHECK ((signing_key IS NULL) = (agreement_key IS NULL)),
            CHECK (signing_key IS NOT NULL OR role = 'member')
        ) STRICT, WITHOUT ROWID;
        INSERT INTO new_people SELECT user_name, full_name, role, signing_key, agreement_key, created FROM people;
        DROP TABLE people;
        ALTER TABLE new_people RENAME TO people;

        CREATE TRIGGER last_owner_stays BEFORE DELETE ON people
        WHEN OLD.role = 'owner' AND (SELECT count(*) FROM people WHERE role = 'owner') = 1
        BEGIN SELECT RAISE(ABORT, 'the last owner stays'); END;
        CREATE TRIGGER last_owner_stays_owner BEFORE UPDATE OF role ON people
        WHEN OLD.role = 'owner' AND NEW.role <> 'owner' AND (SELECT count(*) FROM people WHERE role = 'owner') = 1
        BEGIN SELECT RAISE(ABORT, 'the last owner stays'); END;
        CREATE TRIGGER person_came AFTER INSERT ON people
        BEGIN INSERT INTO changes (user_name) VALUES (NEW.user_name); END;
        CREATE TRIGGER person_changed AFTER UPDATE ON people
        BEGIN INSERT INTO changes (user_name) VALUES (NEW.user_name); END;
        CREATE TRIGGER person_went AFTER DELETE ON people
        BEGIN INSERT INTO changes (user_name) VALUES (OLD.user_name); END;
        """
}
