#include "geometry/two_view.h"
#include <math.h>
#include <string.h>
#include <stdlib.h>
#include "base/mem.h"
#include "base/rng.h"
#include "geometry/rigid.h"
#include "math/mat.h"
static double sampson(const double *E,const double*a,const double*b){
 double l0=E[0]*a[0]+E[1]*a[1]+E[2],l1=E[3]*a[0]+E[4]*a[1]+E[5],l2=E[6]*a[0]+E[7]*a[1]+E[8];
 double m0=E[0]*b[0]+E[3]*b[1]+E[6],m1=E[1]*b[0]+E[4]*b[1]+E[7];
 double r=b[0]*l0+b[1]*l1+l2; return r*r/(l0*l0+l1*l1+m0*m0+m1*m1+1e-300);}
static void eight(double *E,const double*x,const double*y,const int*id,int k){
 double a[81]={0},w[9],v[81]; for(int i=0;i<k;i++){const double*p=x+2*id[i],*q=y+2*id[i]; double r[9]={q[0]*p[0],q[0]*p[1],q[0],q[1]*p[0],q[1]*p[1],q[1],p[0],p[1],1}; for(int b=0;b<9;b++)for(int c=0;c<9;c++)a[9*b+c]+=r[b]*r[c];}
 vd_sym_eigen(w,v,a,9); double m[9],u[9],s[3],vv[9]; for(int i=0;i<9;i++)m[i]=v[9*i];
 vd_svd3(u,s,vv,m); double d[3]={1,1,0}; for(int i=0;i<3;i++)for(int j=0;j<3;j++){E[3*i+j]=0;for(int q=0;q<3;q++)E[3*i+j]+=u[3*i+q]*d[q]*vv[3*j+q];}}
static bool depth(const vd_rigid*p,const double*a,const double*b,double*ang){
 vd_vec3 r1=vd_quat_rotate(p->q,vd_v3_unit(vd_v3(a[0],a[1],1))),r2=vd_v3_unit(vd_v3(b[0],b[1],1)); // r2*d2 = r1*d1+t
 double c=vd_v3_dot(r1,r2),t1=vd_v3_dot(p->t,r1),t2=vd_v3_dot(p->t,r2),den=1-c*c; if(den<1e-12)return false; double d1=(c*t2-t1)/den,d2=(t2-c*t1)/den; *ang=acos(c>1?1:c); return d1>0&&d2>0;}
static int cmpd(const void*a,const void*b){double x=*(const double*)a,y=*(const double*)b;return (x>y)-(x<y);}
vd_status vd_two_view_estimate(vd_two_view *out, uint8_t *mask, const vd_camera *c1, const vd_camera *c2, bool calibrated, const double *uv1, const double *uv2, int n, const vd_two_view_opt *opt, vd_err *err){
 (void)calibrated; memset(out,0,sizeof*out); double*x=vd_mem_array((size_t)n*5+1,8),*y=x+2*n,*an=y+2*n; int*id=vd_mem_array((size_t)n+1,4); if(!x||!id)return vd_nomem(err);
 for(int i=0;i<n;i++){ if(!vd_camera_unproject(c1,uv1+2*i,x+2*i))x[2*i]=1e3; if(!vd_camera_unproject(c2,uv2+2*i,y+2*i))y[2*i]=1e3;}
 double th=opt->max_error_px/(.5*(vd_camera_mean_focal(c1)+vd_camera_mean_focal(c2)));th*=th; vd_rng g=vd_rng_for(opt->seed,77,opt->item); double best[9]={0};double bs=1e300;
 for(int t=0;t<1500;t++){int s[8];for(int i=0;i<8;i++)s[i]=(int)vd_rng_int(&g,n);double E[9];eight(E,x,y,s,8);double sc=0;for(int i=0;i<n&&sc<bs;i++){double e=sampson(E,x+2*i,y+2*i);sc+=e<th?e:th;}if(sc<bs){bs=sc;memcpy(best,E,72);
  for(int it=0;it<3;it++){int k=0;for(int i=0;i<n;i++)if(sampson(best,x+2*i,y+2*i)<th)id[k++]=i;if(k<12)break;double F[9];eight(F,x,y,id,k);double s2=0;for(int i=0;i<n;i++){double e=sampson(F,x+2*i,y+2*i);s2+=e<th?e:th;}if(s2<bs){bs=s2;memcpy(best,F,72);}}}}
 int k=0;for(int i=0;i<n;i++){mask[i]=sampson(best,x+2*i,y+2*i)<th;k+=mask[i];}
 if(k>=30&&k>.25*n){ out->config=VD_TWO_VIEW_CALIBRATED;out->inliers=k;memcpy(out->E,best,72);
  double u[9],s[3],v[9];vd_svd3(u,s,v,best); if(vd_mat3_det(u)<0)for(int i=0;i<9;i++)u[i]=-u[i]; if(vd_mat3_det(v)<0)for(int i=0;i<9;i++)v[i]=-v[i];
  int top=-1; for(int c=0;c<4;c++){double W[9]={0,-1,0,1,0,0,0,0,1};if(c&1){W[1]=1;W[3]=-1;}double R[9];for(int i=0;i<3;i++)for(int j=0;j<3;j++){R[3*i+j]=0;for(int a=0;a<3;a++)for(int b=0;b<3;b++)R[3*i+j]+=u[3*i+a]*W[3*a+b]*v[3*j+b];}
   vd_rigid p={vd_quat_of_matrix(R),vd_v3(u[2],u[5],u[8])}; if(c&2)p.t=vd_v3_mul(p.t,-1); int m=0;int na=0;double a;for(int i=0;i<n;i++)if(mask[i]&&depth(&p,x+2*i,y+2*i,&a)){m++;}
   if(m>top){top=m;out->cam2_from_cam1=p;na=0;for(int i=0;i<n;i++)if(mask[i]&&depth(&p,x+2*i,y+2*i,&a))an[na++]=a; if(na){qsort(an,(size_t)na,8,cmpd);out->median_angle_rad=an[na/2];}}}
 } else {memset(mask,0,(size_t)n);}
 vd_mem_free(x);vd_mem_free(id);return VD_OK;}
