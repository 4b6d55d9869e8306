#pragma once
// How names are followed in DNS; tests make it faster.

#include "base/time.h"

namespace troth {

struct DnsTimes {
  // A name is looked up again when its answer is no longer good, within these bounds.
  Duration ttl_min = Seconds(1);
  Duration ttl_max = Seconds(300);
  // The same where the answer does not say how long it is good for (a hosts file).
  Duration refresh = Seconds(30);
  // After a look-up that failed.
  Duration retry = Seconds(5);
  // Between two look-ups, however often connections fail.
  Duration pause = Seconds(1);
};

}  // namespace troth
