// swift-tools-version: 6.2
import PackageDescription

/// The target graph is drawn in `Sources/Selector/Selector.docc/Architecture.md`; a clean build with
/// `--explicit-target-dependency-import-check error` fails on an import that is not drawn.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "higgins",
  targets: [
    // What crosses the network.
    .target(name: "Wire", swiftSettings: settings),

    // The client.
    // The servers.
    // Tests.
    .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: settings),
  ]
)
