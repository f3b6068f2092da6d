import Synchronization

/// How bad the network is at the moment; every connection looks at it anew for each piece.
final class Weather: Sendable {
  /// Probabilities are per piece of up to 16 KiB that goes through.
  struct Forecast: Sendable {
    /// The piece is lost and the connection with it: TCP would send it again for ever.
    var loses = 0.0
    /// Half of the piece arrives, then both ends see the connection close.
    var cuts = 0.0
    /// One byte arrives as another.
    var corrupts = 0.0
    /// The piece waits for up to ``delayMilliseconds``.
    var delays = 0.0
    var delayMilliseconds = 300
    /// Nobody gets through at all.
    var isDown = false

    static let calm = Forecast()
  }

  private struct State {
    var forecast = Forecast.calm
    var dice = Dice(seed: 0)
  }

  /// What happens to one piece.
  enum Fate: Sendable {
    case arrives(afterMilliseconds: Int)
    case isLost
    case isCut
    case isCorrupted(at: Int)
  }

  private let state = Mutex(State())

  func becomes(_ forecast: Forecast, seed: UInt64 = 0) {
    state.withLock {
      $0.forecast = forecast
      $0.dice = Dice(seed: seed)
    }
  }

  var isDown: Bool { state.withLock { $0.forecast.isDown } }

  func fate(of count: Int) -> Fate {
    state.withLock { state in
      let forecast = state.forecast
      if forecast.isDown || state.dice.happens(forecast.loses) { return .isLost }
      if state.dice.happens(forecast.cuts) { return .isCut }
      if state.dice.happens(forecast.corrupts) {
        return .isCorrupted(at: state.dice.number(0...max(0, count - 1)))
      }
      let waits = state.dice.happens(forecast.delays)
      return .arrives(
        afterMilliseconds: waits ? state.dice.number(0...forecast.delayMilliseconds) : 0)
    }
  }
}
