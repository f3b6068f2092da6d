import Foundation
import Synchronization

/// One end of a control socket: messages in, messages out.
///
/// Reading and writing block, so each has a queue of its own. The descriptor is closed with the
/// last reference; ``shut()`` ends both directions at once and wakes whoever waits.
final class ControlChannel: Sendable {
  private let descriptor: Int32
  private let reading = DispatchQueue(label: "higgins.control.read")
  private let writing = DispatchQueue(label: "higgins.control.write")

  /// Takes over a connected stream socket.
  init(descriptor: Int32) {
    self.descriptor = descriptor
    setTimeout(SO_SNDTIMEO, seconds: ControlLimits.writeSeconds)
  }

  deinit { close(descriptor) }

  /// Ends the conversation.
  func shut() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// How long ``receive()`` waits for the next bytes; 0 for ever.
  func limitWait(seconds: Int) { setTimeout(SO_RCVTIMEO, seconds: seconds) }

  private func setTimeout(_ option: Int32, seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Refuses a peer that is another user; root is one, too.
  func checkPeer(user: UInt32 = geteuid()) throws {
    // struct ucred of unix(7): process, user and group, each of 32 bits.
    var credentials: (pid: Int32, user: UInt32, group: UInt32) = (0, .max, .max)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
      throw ControlError.gone
    }
    guard credentials.user == user else { throw ControlError.foreignPeer(user: credentials.user) }
  }

  func send(_ message: ControlMessage) async throws {
    let body = try JSONEncoder().encode(message)
    guard body.count <= ControlLimits.messageBytes else {
      throw ControlError.tooLarge(bytes: body.count)
    }
    let length = UInt32(body.count)
    let head = (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) }
    let bytes = head + Array(body)
    try await on(writing) {
      do {
        try Descriptor.send(bytes, to: self.descriptor)
      } catch {
        throw ControlError.gone
      }
    }
  }

  /// The next message; nil when the other side ended after a whole one.
  func receive() async throws -> ControlMessage? {
    try await on(reading) {
      guard let head = try self.read(4, isStart: true) else { return nil }
      let length = head.reduce(0) { $0 << 8 | Int($1) }
      guard length <= ControlLimits.messageBytes else {
        throw ControlError.tooLarge(bytes: length)
      }
      guard let body = try self.read(length, isStart: false) else { throw ControlError.gone }
      do {
        return try JSONDecoder().decode(ControlMessage.self, from: Data(body))
      } catch {
        throw ControlError.malformed
      }
    }
  }

  /// Exactly `count` bytes; nil when there are none at the start of a message.
  private func read(_ count: Int, isStart: Bool) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let chunk: [UInt8]
      do {
        chunk = try Descriptor.read(descriptor, upTo: count - bytes.count)
      } catch {
        throw ControlError.gone
      }
      if chunk.isEmpty {
        if isStart, bytes.isEmpty { return nil }
        throw ControlError.gone
      }
      bytes += chunk
    }
    return bytes
  }

  private func on<Answer: Sendable>(
    _ queue: DispatchQueue, _ body: @escaping @Sendable () throws -> Answer
  ) async throws -> Answer {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }
}
