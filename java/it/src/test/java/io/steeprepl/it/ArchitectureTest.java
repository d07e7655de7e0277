package io.steeprepl.it;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.steeprepl.daemon.peer.PeerPolicy;
import io.steeprepl.daemon.peer.PeerView;
import org.junit.jupiter.api.Test;

/** Who may depend on whom. */
class ArchitectureTest {
    private static final JavaClasses HOUSE = new ClassFileImporter()
            .importPackages(
                    "io.steeprepl.api",
                    "io.steeprepl.direct",
                    "io.steeprepl.config",
                    "io.steeprepl.remote",
                    "io.steeprepl.daemon",
                    "io.steeprepl.cli",
                    "io.steeprepl.testkit");

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
                .resideInAnyPackage(
                        "io.steeprepl.cli..",
                        "io.steeprepl.testkit..",
                        "io.steeprepl.config..",
                        "io.steeprepl.remote..",
                        "io.steeprepl.daemon..",
                        "picocli..")
                .check(HOUSE);
    }

    @Test
    void theConfigurationKnowsNeitherDaemonNorCommandLine() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.config..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.steeprepl.cli..",
                        "io.steeprepl.testkit..",
                        "io.steeprepl.remote..",
                        "io.steeprepl.daemon..")
                .check(HOUSE);
    }

    @Test
    void theDaemonKnowsNeitherCommandLineNorTestkit() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.daemon..")
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
                .resideInAnyPackage(
                        "io.steeprepl.cli..",
                        "io.steeprepl.api..",
                        "io.steeprepl.direct..",
                        "io.steeprepl.config..",
                        "io.steeprepl.daemon..",
                        "picocli..")
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
                .resideInAnyPackage("io.steeprepl.cli..", "io.steeprepl.config..", "io.steeprepl.daemon..")
                .and()
                .resideOutsideOfPackage("io.steeprepl.cli.demo..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("java.sql..", "javax.sql..", "com.zaxxer..")
                .check(HOUSE);
    }

    @Test
    void remoteKnowsOnlyTheApi() {
        noClasses()
                .that()
                .resideInAPackage("io.steeprepl.remote..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.steeprepl.cli..",
                        "io.steeprepl.testkit..",
                        "io.steeprepl.config..",
                        "io.steeprepl.direct..",
                        "io.steeprepl.daemon..",
                        "java.sql..",
                        "picocli..")
                .check(HOUSE);
    }

    @Test
    void generatedTypesStayWithGrpc() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.steeprepl.remote.grpc..", "io.steeprepl.daemon.grpc..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.steeprepl.remote.grpc.v1..", "com.google.protobuf..", "io.grpc..")
                .check(HOUSE);
    }

    @Test
    void policiesKnowNobody() {
        classes()
                .that()
                .resideInAPackage("io.steeprepl.daemon..")
                .and()
                .haveNameMatching(".*Policy(\\$.*)?")
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("io.steeprepl.api..", "java..", "org.jspecify..")
                        .or(belongToAnyOf(PeerPolicy.class, PeerView.class)))
                .check(HOUSE);
    }
}
