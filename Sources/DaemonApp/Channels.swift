import ArgumentParser
import Foundation
import PushServer

/// `higginsd channels`: how sleeping devices are reached, what waits, and what was given up.
struct Channels: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the channels of sleeping devices, and what was given up.",
    discussion: """
      EXAMPLE: higginsd channels --data ~/higginsd

      A channel is named by a random number of its own; whose it is and where it leads is not shown.
      """)

  /// In the folder of the Attribute Server, unless the gateways' file names another.
  static let fileName = "channels.sqlite"

  @Argument(
    help: ArgumentHelp(
      "The file channels are kept in; else the one in the folder of --data.", valueName: "FILE"),
    completion: .file())
  var file: String?

  @OptionGroup var folder: FolderOption

  @Flag(help: "One JSON object a line.")
  var json = false

  func run() throws {
    let path = try file ?? folder.path() + "/" + Self.fileName
    guard FileManager.default.fileExists(atPath: path) else {
      throw DaemonError.failed("There is no \(path); `higginsd serve --gateways FILE` makes it.")
    }
    let list = try failing { try ChannelList(path: path) }
    if json {
      for channel in list.channels { try printLine(channel) }
      for letter in list.deadLetters { try printLine(letter) }
    } else {
      printTable(list)
    }
  }

  private func printLine(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  private func printTable(_ list: ChannelList) {
    let none = "-"
    if list.channels.isEmpty { print("No channels.") }
    for channel in list.channels {
      let state = channel.confirmed ? "confirmed" : "unconfirmed"
      let waits = channel.dueAt.map {
        "next try \(Self.date($0)), \(channel.attempts) failed"
      }
      print(
        channel.channel, channel.kind, state,
        "delivered \(channel.deliveredAt.map(Self.date) ?? none)", waits ?? "nothing waits",
        separator: "  ")
    }
    guard !list.deadLetters.isEmpty else { return }
    print("\nGiven up:")
    for letter in list.deadLetters {
      print(
        letter.channel, letter.kind, Self.date(letter.at), "attempt \(letter.attempts)",
        letter.reason, separator: "  ")
    }
  }

  private static func date(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
  }
}
