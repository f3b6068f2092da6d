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

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
  name: "higgins",
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0")
  ],
  targets: [
    // What crosses the network.
    .target(name: "Wire", swiftSettings: settings),

    // The client.
    .systemLibrary(
      name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .target(name: "Vault", dependencies: ["Wire", "CSodium", crypto], swiftSettings: settings),
    .target(name: "Sync", dependencies: ["Vault", "Wire"], swiftSettings: settings),
    // The servers.
    // Tests.
    .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: settings),
    .testTarget(
      name: "VaultTests", dependencies: ["Vault", "Wire", "CSodium", crypto],
      resources: [.copy("Golden")],
      swiftSettings: settings),
    .testTarget(
      name: "SyncTests", dependencies: ["Sync", "Vault", "Wire"], exclude: ["Fixtures"],
      swiftSettings: settings),
  ]
)
