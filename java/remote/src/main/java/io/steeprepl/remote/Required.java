package io.steeprepl.remote;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedConstructor;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A component of a record must be there unless it is nullable or a boolean, which is false when it is left out. */
final class Required extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1L;

    @Override
    public @Nullable Boolean hasRequiredMarker(AnnotatedMember member) {
        return member instanceof AnnotatedParameter ? Boolean.valueOf(required(member)) : null;
    }

    @Override
    public JsonSetter.Value findSetterInfo(Annotated member) {
        return required(member) ? JsonSetter.Value.forValueNulls(Nulls.FAIL) : super.findSetterInfo(member);
    }

    private static boolean required(Annotated member) {
        return member instanceof AnnotatedParameter parameter
                && parameter.getOwner() instanceof AnnotatedConstructor constructor
                && parameter.getRawType() != boolean.class
                && !constructor
                        .getAnnotated()
                        .getAnnotatedParameterTypes()[parameter.getIndex()]
                        .isAnnotationPresent(Nullable.class);
    }

    /** The parameters that a record stands for, as they are written. */
    static String names(Class<?> params) {
        return Arrays.stream(params.getRecordComponents())
                .map(RecordComponent::getName)
                .map(name -> new PropertyNamingStrategies.SnakeCaseStrategy().translate(name))
                .collect(Collectors.joining(", "));
    }
}
