package io.steeprepl.it;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Test;

/** Who may depend on whom. */
class ArchitectureTest {
    private static final JavaClasses HOUSE = new ClassFileImporter()
            .importPackages("io.steeprepl.api", "io.steeprepl.direct", "io.steeprepl.cli", "io.steeprepl.testkit");

    @Test
    void apiDependsOnNothing() {
        classes()
                .that()
                .resideInAPackage("io.steeprepl.api..")
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("io.steeprepl.api..", "java..", "org.jspecify..")
                .check(HOUSE);
    }

    @Test
    void directKnowsOnlyTheApi() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.direct..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.steeprepl.cli..", "io.steeprepl.testkit..", "picocli..")
                .check(HOUSE);
    }

    @Test
    void testkitDoesNotKnowTheCommandLine() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.testkit..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.steeprepl.cli..", "io.steeprepl.api..", "io.steeprepl.direct..", "picocli..")
                .check(HOUSE);
    }

    @Test
    void onlySandboxAndDemoUseServers() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.cli..")
                .and()
                .resideOutsideOfPackages("io.steeprepl.cli.sandbox..", "io.steeprepl.cli.demo..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.steeprepl.testkit..")
                .check(HOUSE);
    }

    @Test
    void sqlOnlyInDirect() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.cli..")
                .and()
                .resideOutsideOfPackage("io.steeprepl.cli.demo..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.sql..")
                .check(HOUSE);
    }
}
