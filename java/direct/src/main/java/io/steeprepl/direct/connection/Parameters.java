package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Connection parameters while they are read: checks every name as it comes. */
final class Parameters {
    private final Map<String, String> values = new LinkedHashMap<>();
    private final String where;

    /** {@code where} names in errors what is being read, such as "the connection URI". */
    Parameters(String where) {
        this.where = where;
    }

    /** Takes a parameter; the last of several with the same name wins, as in libpq. */
    void put(String name, String value) {
        Keyword keyword = Keyword.find(name)
                .orElseThrow(() -> new ApiException.Usage(
                        "unknown parameter \"%s\" in %s".formatted(name, where),
                        "did you mean \"%s\"?".formatted(Keyword.nearest(name))));
        if (keyword.support() == Keyword.Support.REFUSED && !value.isEmpty()) {
            throw new ApiException.Usage(
                    "parameter \"%s\" in %s cannot be honoured by this client".formatted(name, where),
                    "leave it out, or connect with other parameters");
        }
        values.put(name, value);
    }

    Map<String, String> values() {
        return values;
    }
}
