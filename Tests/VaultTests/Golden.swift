import Foundation
import Testing
import Wire

/// Files of recorded bytes that must open for ever. A file is a JSON object of texts; what ends in
/// `Hex` is bytes.
///
/// The file that `RECORD_GOLDEN` names in the environment is written by its test instead of read:
/// for a new layout, never for a changed one.
struct Golden {
  private let name: String
  private let fields: [String: String]

  /// The recorded fields; or, when recording, those of `make`.
  init(_ name: String, make: () throws -> [String: String]) throws {
    self.name = name
    if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == name {
      fields = try make()
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      try (encoder.encode(fields) + Data("\n".utf8)).write(to: Self.folder.appending(path: name))
    } else {
      let file = try #require(
        Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Golden"))
      fields = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: file))
    }
  }

  func text(_ field: String) throws -> String {
    try #require(fields[field], "\(name) has no \(field)")
  }

  func bytes(_ field: String) throws -> [UInt8] {
    try #require(Hex.decode(try text(field + "Hex")), "\(name): \(field) is no hexadecimal")
  }

  /// Whether all recorded fields but `exempt` are made again, byte for byte.
  func matches(_ made: [String: String], except exempt: Set<String> = []) -> Bool {
    made.filter { !exempt.contains($0.key) } == fields.filter { !exempt.contains($0.key) }
  }

  private static var folder: URL {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
  }
}
