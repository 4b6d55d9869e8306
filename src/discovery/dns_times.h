#pragma once
// How names are followed in DNS; tests make it faster.

#include "base/time.h"

namespace troth {

struct DnsTimes {
  // The system's resolver does not tell how long an answer is good for. Cluster DNS says 5 to 30 s.
  Duration refresh = Seconds(30);
  // Between two look-ups, however often connections fail.
  Duration pause = Seconds(1);
};

}  // namespace troth
