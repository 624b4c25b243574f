/* kernels.src in C, as a person would write it for speed: VLAs for matrices, `restrict` where arrays
 * do not overlap, no checks. Arrays come as a pointer and their lengths, as typed pointers of jitrun
 * take them. */
#include <math.h>
#include <stdint.h>

typedef int64_t I;
#define R restrict

/* ---- Linear algebra ---- */

void gemm(double *R c_, I n, I m, const double *R a_, I an, I p, const double *R b_, I bn,
          I bm, double alpha, double beta) {
    (void)an, (void)bn, (void)bm;
    double(*c)[m] = (void *)c_;
    const double(*a)[p] = (void *)a_, (*b)[m] = (void *)b_;
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < m; j++)
            c[i][j] *= beta;
        for (I k = 0; k < p; k++)
            for (I j = 0; j < m; j++)
                c[i][j] += alpha * a[i][k] * b[k][j];
    }
}

void two_mm(double *R tmp_, I ni, I nj, const double *R a_, I an, I nk, const double *R b_,
            I bn, I bm, const double *R c_, I cn, I nl, double *R d_, I dn, I dm, double alpha,
            double beta) {
    (void)an, (void)bn, (void)bm, (void)cn, (void)dn, (void)dm;
    double(*tmp)[nj] = (void *)tmp_, (*d)[nl] = (void *)d_;
    const double(*a)[nk] = (void *)a_, (*b)[nj] = (void *)b_, (*c)[nl] = (void *)c_;
    for (I i = 0; i < ni; i++)
        for (I j = 0; j < nj; j++) {
            tmp[i][j] = 0.0;
            for (I k = 0; k < nk; k++)
                tmp[i][j] += alpha * a[i][k] * b[k][j];
        }
    for (I i = 0; i < ni; i++)
        for (I j = 0; j < nl; j++) {
            d[i][j] *= beta;
            for (I k = 0; k < nj; k++)
                d[i][j] += tmp[i][k] * c[k][j];
        }
}

void atax(const double *R a_, I m, I n, const double *R x, I xn, double *R y, I yn,
          double *R tmp, I tn) {
    (void)xn, (void)yn, (void)tn;
    const double(*a)[n] = (void *)a_;
    for (I j = 0; j < n; j++)
        y[j] = 0.0;
    for (I i = 0; i < m; i++) {
        tmp[i] = 0.0;
        for (I j = 0; j < n; j++)
            tmp[i] = tmp[i] + a[i][j] * x[j];
        for (I j = 0; j < n; j++)
            y[j] = y[j] + a[i][j] * tmp[i];
    }
}

void bicg(const double *R a_, I n, I m, double *R s, I sn, double *R q, I qn,
          const double *R p, I pn, const double *R r, I rn) {
    (void)sn, (void)qn, (void)pn, (void)rn;
    const double(*a)[m] = (void *)a_;
    for (I j = 0; j < m; j++)
        s[j] = 0.0;
    for (I i = 0; i < n; i++) {
        q[i] = 0.0;
        for (I j = 0; j < m; j++) {
            s[j] = s[j] + r[i] * a[i][j];
            q[i] = q[i] + a[i][j] * p[j];
        }
    }
}

void mvt(const double *R a_, I n, I m, double *R x1, I n1, double *R x2, I n2,
         const double *R y1, I n3, const double *R y2, I n4) {
    (void)n1, (void)n2, (void)n3, (void)n4;
    const double(*a)[m] = (void *)a_;
    for (I i = 0; i < n; i++)
        for (I j = 0; j < n; j++)
            x1[i] = x1[i] + a[i][j] * y1[j];
    for (I i = 0; i < n; i++)
        for (I j = 0; j < n; j++)
            x2[i] = x2[i] + a[j][i] * y2[j];
}

void cholesky(double *a_, I n, I m) {
    double(*a)[m] = (void *)a_;
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < i; j++) {
            for (I k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
        for (I k = 0; k < i; k++)
            a[i][i] -= a[i][k] * a[i][k];
        a[i][i] = sqrt(a[i][i]);
    }
}

void trisolv(const double *R l_, I ln, I lm, double *R x, I n, const double *R b, I bn) {
    (void)ln, (void)bn;
    const double(*l)[lm] = (void *)l_;
    for (I i = 0; i < n; i++) {
        x[i] = b[i];
        for (I j = 0; j < i; j++)
            x[i] -= l[i][j] * x[j];
        x[i] = x[i] / l[i][i];
    }
}

void durbin(const double *R r, I n, double *R y, I yn, double *R z, I zn) {
    (void)yn, (void)zn;
    y[0] = -r[0];
    double beta = 1.0, alpha = -r[0];
    for (I k = 1; k < n; k++) {
        beta = (1.0 - alpha * alpha) * beta;
        double s = 0.0;
        for (I i = 0; i < k; i++)
            s += r[k - i - 1] * y[i];
        alpha = -(r[k] + s) / beta;
        for (I i = 0; i < k; i++)
            z[i] = y[i] + alpha * y[k - i - 1];
        for (I i = 0; i < k; i++)
            y[i] = z[i];
        y[k] = alpha;
    }
}

/* ---- Stencils ---- */

static void jacobi_half(const double *R a_, double *R b_, I n) {
    const double(*a)[n] = (void *)a_;
    double(*b)[n] = (void *)b_;
    for (I i = 1; i < n - 1; i++)
        for (I j = 1; j < n - 1; j++)
            b[i][j] = 0.2 * (a[i][j] + a[i][j - 1] + a[i][1 + j] + a[1 + i][j] + a[i - 1][j]);
}

void jacobi_2d(double *a, I n, I m, double *b, I bn, I bm, I steps) {
    (void)m, (void)bn, (void)bm;
    for (I t = 0; t < steps; t++) {
        jacobi_half(a, b, n);
        jacobi_half(b, a, n);
    }
}

void seidel_2d(double *a_, I n, I m, I steps) {
    double(*a)[m] = (void *)a_;
    for (I t = 0; t < steps; t++)
        for (I i = 1; i < n - 1; i++)
            for (I j = 1; j < n - 1; j++)
                a[i][j] =
                    (a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1] + a[i][j - 1] + a[i][j] +
                     a[i][j + 1] + a[i + 1][j - 1] + a[i + 1][j] + a[i + 1][j + 1]) /
                    9.0;
}

static void heat_half(const double *R a_, double *R b_, I n) {
    const double(*a)[n][n] = (void *)a_;
    double(*b)[n][n] = (void *)b_;
    for (I i = 1; i < n - 1; i++)
        for (I j = 1; j < n - 1; j++)
            for (I k = 1; k < n - 1; k++)
                b[i][j][k] = 0.125 * (a[i + 1][j][k] - 2.0 * a[i][j][k] + a[i - 1][j][k]) +
                             0.125 * (a[i][j + 1][k] - 2.0 * a[i][j][k] + a[i][j - 1][k]) +
                             0.125 * (a[i][j][k + 1] - 2.0 * a[i][j][k] + a[i][j][k - 1]) +
                             a[i][j][k];
}

void heat_3d(double *a, I n, I m, I p, double *b, I bn, I bm, I bp, I steps) {
    (void)m, (void)p, (void)bn, (void)bm, (void)bp;
    for (I t = 0; t < steps; t++) {
        heat_half(a, b, n);
        heat_half(b, a, n);
    }
}

/* ---- Reductions and elementwise ---- */

double dot(const double *x, I n, const double *y, I m) {
    (void)m;
    double s = 0.0;
    for (I i = 0; i < n; i++)
        s += x[i] * y[i];
    return s;
}

void axpy(double alpha, const double *R x, I n, double *R y, I m) {
    (void)m;
    for (I i = 0; i < n; i++)
        y[i] += alpha * x[i];
}

double norm(const double *x, I n) {
    double s = 0.0;
    for (I i = 0; i < n; i++)
        s += x[i] * x[i];
    return sqrt(s);
}

void softmax(const double *R x_, I n, I m, double *R out_, I on, I om) {
    (void)on, (void)om;
    const double(*x)[m] = (void *)x_;
    double(*out)[m] = (void *)out_;
    for (I i = 0; i < n; i++) {
        double top = x[i][0], s = 0.0;
        for (I j = 1; j < m; j++)
            top = x[i][j] > top ? x[i][j] : top;
        for (I j = 0; j < m; j++) {
            out[i][j] = exp(x[i][j] - top);
            s += out[i][j];
        }
        for (I j = 0; j < m; j++)
            out[i][j] /= s;
    }
}

static double normal_cdf(double d) {
    double k = 1.0 / (1.0 + 0.2316419 * fabs(d));
    double c =
        0.39894228040143267794 * exp(-0.5 * d * d) *
        (k * (0.31938153 +
              k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429)))));
    return d > 0 ? 1.0 - c : c;
}

void black_scholes(const double *R spot, I n, const double *R strike, I n1,
                   const double *R years, I n2, double *R call, I n3, double *R put, I n4) {
    (void)n1, (void)n2, (void)n3, (void)n4;
    const double rate = 0.02, vol = 0.3;
    for (I i = 0; i < n; i++) {
        double root = sqrt(years[i]);
        double d1 =
            (log(spot[i] / strike[i]) + (rate + 0.5 * vol * vol) * years[i]) / (vol * root);
        double d2 = d1 - vol * root;
        double cdf1 = normal_cdf(d1), cdf2 = normal_cdf(d2);
        double discounted = strike[i] * exp(-rate * years[i]);
        call[i] = spot[i] * cdf1 - discounted * cdf2;
        put[i] = discounted * (1.0 - cdf2) - spot[i] * (1.0 - cdf1);
    }
}

double pi_sum(I rounds, I terms) {
    double s = 0.0;
    for (I j = 0; j < rounds; j++) {
        s = 0.0;
        for (I k = 1; k <= terms; k++)
            s += 1.0 / (double)(k * k);
    }
    return s;
}

/* ---- Integers and control ---- */

I sieve(uint8_t *flags, I n) {
    I count = 0;
    for (I i = 0; i < n; i++)
        flags[i] = 1;
    for (I i = 2; i < n; i++)
        if (flags[i]) {
            count++;
            for (I j = i * i; j < n; j += i)
                flags[j] = 0;
        }
    return count;
}

I crc32(const I *R table, I tn, const uint8_t *R data, I n) {
    (void)tn;
    I crc = 0xFFFFFFFF;
    for (I i = 0; i < n; i++)
        crc = table[(crc ^ data[i]) & 0xFF] ^ (crc >> 8);
    return crc ^ 0xFFFFFFFF;
}

I knapsack(I *R best, I room, const I *R weights, I n, const I *R values, I m) {
    (void)m;
    for (I i = 0; i < n; i++) {
        I w = weights[i];
        for (I c = room - 1; c >= w; c--) {
            I with = best[c - w] + values[i];
            best[c] = with > best[c] ? with : best[c];
        }
    }
    return best[room - 1];
}

void quicksort(double *a, I n, I lo, I hi) {
    while (lo < hi) {
        double pivot = a[(lo + hi) / 2];
        I i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                double t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - lo < hi - i) {
            quicksort(a, n, lo, j);
            lo = i;
        } else {
            quicksort(a, n, i, hi);
            hi = j;
        }
    }
}

static void life_step(const int8_t *R a_, int8_t *R b_, I n, I m) {
    const int8_t(*a)[m] = (void *)a_;
    int8_t(*b)[m] = (void *)b_;
    for (I i = 0; i < n; i++) {
        I up = i == 0 ? n - 1 : i - 1, down = i == n - 1 ? 0 : i + 1;
        for (I j = 0; j < m; j++) {
            I left = j == 0 ? m - 1 : j - 1, right = j == m - 1 ? 0 : j + 1;
            int8_t around =
                (int8_t)(a[up][left] + a[up][j] + a[up][right] + a[i][left] + a[i][right] +
                         a[down][left] + a[down][j] + a[down][right]);
            b[i][j] = around == 3 || (around == 2 && a[i][j] == 1) ? 1 : 0;
        }
    }
}

void life(int8_t *a, I n, I m, int8_t *b, I bn, I bm, I steps) {
    (void)bn, (void)bm;
    for (I t = 0; t < steps; t += 2) {
        life_step(a, b, n, m);
        life_step(b, a, n, m);
    }
}

void grouped_sum(const I *R labels, I n, const double *R values, I m, double *R bins, I k) {
    (void)m, (void)k;
    for (I i = 0; i < n; i++)
        bins[labels[i]] += values[i];
}

I fib(I n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

/* ---- Simulation ---- */

void nbody(double *R x_, I n, I xd, double *R v_, I vn, I vd, const double *R mass, I mn,
           I steps, double dt) {
    (void)vn, (void)vd, (void)mn, (void)xd;
    double(*x)[3] = (void *)x_, (*v)[3] = (void *)v_;
    for (I t = 0; t < steps; t++) {
        for (I i = 0; i < n; i++)
            for (I j = i + 1; j < n; j++) {
                double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2];
                double d2 = dx * dx + dy * dy + dz * dz;
                double mag = dt / (d2 * sqrt(d2));
                v[i][0] -= dx * mass[j] * mag;
                v[i][1] -= dy * mass[j] * mag;
                v[i][2] -= dz * mass[j] * mag;
                v[j][0] += dx * mass[i] * mag;
                v[j][1] += dy * mass[i] * mag;
                v[j][2] += dz * mass[i] * mag;
            }
        for (I i = 0; i < n; i++)
            for (I k = 0; k < 3; k++)
                x[i][k] += dt * v[i][k];
    }
}

void mandelbrot(I *counts_, I rows, I columns, I limit) {
    I(*counts)[columns] = (void *)counts_;
    for (I i = 0; i < rows; i++)
        for (I j = 0; j < columns; j++) {
            double cr = -2.0 + 3.0 * (double)j / (double)columns;
            double ci = -1.0 + 2.0 * (double)i / (double)rows;
            double zr = 0.0, zi = 0.0;
            I n = 0;
            while (n < limit && zr * zr + zi * zi <= 4.0) {
                double t = zr * zr - zi * zi + cr;
                zi = 2.0 * zr * zi + ci;
                zr = t;
                n++;
            }
            counts[i][j] = n;
        }
}

double spring(double start, double total_time, double dt) {
    double x = start, v = 0.0, s = 0.0;
    for (I i = 0, n = (I)(total_time / dt); i < n; i++) {
        s += (x / start) * (x / start);
        double f = v > 1.0 ? -3.0 * v : v > 0.0 ? -3.0 : v < 0.0 ? 3.0 : 0.0;
        v += (f - 100.0 * x) * dt;
        x += v * dt;
    }
    return s;
}

static uint64_t xorshift(uint64_t state) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^ state << 17;
}

I monte_carlo(I n, uint64_t state) {
    I inside = 0;
    for (I i = 0; i < n; i++) {
        state = xorshift(state);
        double x = (double)(state >> 11) * 1.1102230246251565e-16;
        state = xorshift(state);
        double y = (double)(state >> 11) * 1.1102230246251565e-16;
        if (x * x + y * y < 1.0) inside++;
    }
    return inside;
}

void floyd_warshall(int32_t *path_, I n, I m) {
    int32_t(*path)[m] = (void *)path_;
    for (I k = 0; k < n; k++)
        for (I i = 0; i < n; i++)
            for (I j = 0; j < n; j++) {
                int32_t through = path[i][k] + path[k][j];
                path[i][j] = through < path[i][j] ? through : path[i][j];
            }
}
