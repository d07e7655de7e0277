# To be sourced, with $home set: how the command line and the daemon are run, with the same flags in training and ever after.
java_home=${java_home:-$("$home/build/jdk.sh")}
jars() {
  local LC_ALL=C IFS=: list
  # In one order everywhere: an AOT cache is for one class path.
  list=("$home"/java/cli/target/steep-repl-cli-*.jar "$home"/java/cli/target/lib/*.jar)
  echo "${list[*]}"
}
aot=$home/java/cli/target/aot
java=("$java_home/bin/java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData --enable-native-access=ALL-UNNAMED
  "-Dsteeprepl.home=$home" "-Dsteeprepl.stage=$home/extension/stage" "-Dsteeprepl.aot=$aot" -cp "$(jars)")
# Reflection by native code: the classes that Java else makes for it take longer than all that a short command calls so.
java_of_command=("${java[@]}" -Djdk.reflect.useNativeAccessorOnly=true)
# The daemon stays for months, and is to keep little memory. As in Program.java, for services; with folders for their jars, as services
# have them, whose jars have other versions after the next build.
java_of_daemon=("${java[@]}" -Xms8m -Xmn4m -Xmx128m -Xss512k -XX:MinHeapFreeRatio=5 -XX:MaxHeapFreeRatio=15 -XX:-ShrinkHeapInSteps
  -XX:+UnlockExperimentalVMOptions -XX:TrimNativeHeapInterval=60000 -XX:+ExitOnOutOfMemoryError
  -Dio.netty.allocator.type=unpooled -Dio.netty.noPreferDirect=true -cp "$home/java/cli/target/*:$home/java/cli/target/lib/*")
