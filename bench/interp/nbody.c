/* As nbody.src. */
#include "native.h"

enum { N = 5 };
static double x[N], y[N], z[N], u[N], v[N], w[N], mass[N];

KERNEL static void step(void) {
    for (int i = 0; i < N; i++)
        for (int j = i + 1; j < N; j++) {
            const double dx = x[i] - x[j], dy = y[i] - y[j], dz = z[i] - z[j];
            const double square = dx * dx + dy * dy + dz * dz + 0.01;
            const double pull = 0.001 / (square * sqrt(square));
            const double mi = mass[i] * pull, mj = mass[j] * pull;
            u[i] -= dx * mj;
            v[i] -= dy * mj;
            w[i] -= dz * mj;
            u[j] += dx * mi;
            v[j] += dy * mi;
            w[j] += dz * mi;
        }
    for (int i = 0; i < N; i++) {
        x[i] += 0.001 * u[i];
        y[i] += 0.001 * v[i];
        z[i] += 0.001 * w[i];
    }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        x[i] = 1.5 * i - 3.0;
        y[i] = 0.5 * i * i - 2.0;
        z[i] = 0.25 * i;
        u[i] = 0.1 * i;
        v[i] = 0.2 - 0.1 * i;
        mass[i] = 1.0 / (1.0 + i);
    }
    for (int k = 0; k < 300000; k++)
        step();
    double energy = 0.0;
    for (int i = 0; i < N; i++)
        energy += 0.5 * mass[i] * (u[i] * u[i] + v[i] * v[i] + w[i] * w[i]);
    printf("%.17g\n", energy);
}
